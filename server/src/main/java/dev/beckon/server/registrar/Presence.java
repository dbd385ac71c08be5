package dev.beckon.server.registrar;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;

/**
 * Where a device is, by its last proven keepalive.
 *
 * @param mappedAddress the address and port that the server saw
 * @param lastSeen to the second
 * @param reachable whether the last keepalive is recent enough that the mapping should still stand
 * @param interval as announced by the device
 * @param socket number of the local socket that the keepalive came to
 */
public record Presence(
    InetSocketAddress mappedAddress,
    Instant lastSeen,
    boolean reachable,
    Duration interval,
    int socket) {}
