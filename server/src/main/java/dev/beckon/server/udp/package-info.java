/**
 * UDP sockets: datagrams in, datagrams out, no decision.
 *
 * <p>{@link dev.beckon.server.udp.DatagramHandler} decides; {@link dev.beckon.server.udp.UdpSocket}
 * moves bytes. A transport with recvmmsg and sendmmsg fits behind the same two interfaces.
 */
@NullMarked
package dev.beckon.server.udp;

import org.jspecify.annotations.NullMarked;
