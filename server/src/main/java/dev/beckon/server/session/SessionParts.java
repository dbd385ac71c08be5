package dev.beckon.server.session;

import dev.beckon.server.command.Commands;
import dev.beckon.server.identity.DenyList;
import dev.beckon.server.identity.KnownDevices;
import dev.beckon.server.identity.Redeemer;
import dev.beckon.server.identity.Renewals;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What the session port needs of the rest of the server.
 *
 * @param enrollment turns enrollment codes of devices and servers into identities; empty where the
 *     fleet CA is elsewhere
 * @param renewals gives devices new certificates and keys; empty likewise
 * @param directory what devices are told of other servers
 * @param listener is told of sessions as they come and go
 * @param peers takes over the connections of other servers; empty where none are taken
 * @param nanoClock elapsed time, as {@code System::nanoTime}
 * @param clock wall time: for certificates and for Welcome
 */
public record SessionParts(
    Commands commands,
    KnownDevices devices,
    DenyList denyList,
    Optional<Redeemer> enrollment,
    Optional<Renewals> renewals,
    ServedDirectory directory,
    SessionListener listener,
    Optional<PeerConnections> peers,
    LongSupplier nanoClock,
    InstantSource clock) {}
