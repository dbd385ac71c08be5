package dev.beckon.server.session;

import dev.beckon.protocol.session.WaitingServer;
import java.util.List;

/**
 * What Welcome says to a device, as far as it stands elsewhere than in its session.
 *
 * @param actionsWanted whether its actions are not known, or others
 * @param renewalWanted whether it holds an older key, root or certificate
 * @param serverTimeMillis unix time
 * @param lingers false if the wake that the session follows carried a dial-back delay
 * @param waiting other servers that have wakes outstanding for it
 */
record Greeting(
    boolean actionsWanted,
    boolean renewalWanted,
    long serverTimeMillis,
    boolean lingers,
    List<WaitingServer> waiting) {}
