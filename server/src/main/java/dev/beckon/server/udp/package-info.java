/**
 * UDP sockets: datagrams in, datagrams out, no decision.
 *
 * <p>{@link dev.beckon.server.udp.DatagramHandler} decides; {@link dev.beckon.server.udp.UdpSocket}
 * moves bytes, on Linux many datagrams per system call ({@link
 * dev.beckon.server.udp.UdpTransport}).
 */
@NullMarked
package dev.beckon.server.udp;

import org.jspecify.annotations.NullMarked;
