/**
 * Between the servers of a fleet: one connection from each enrolled server to the rendezvous server
 * (ALPN {@code beckon-peer/1}). Wakes are asked for on it, and the deny-list comes in.
 *
 * <p>{@link dev.beckon.server.peer.PeerServer} is the rendezvous server's side, with {@link
 * dev.beckon.server.peer.PeerLogic} for each connection; {@link dev.beckon.server.peer.PeerLink} is
 * the enrolled server's, with {@link dev.beckon.server.peer.PeerLinkLogic}.
 */
@NullMarked
package dev.beckon.server.peer;

import org.jspecify.annotations.NullMarked;
