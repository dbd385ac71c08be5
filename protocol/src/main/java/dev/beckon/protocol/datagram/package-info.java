/**
 * The datagrams of Beckon: a usage of STUN (RFC 8489), as records and pure functions.
 *
 * <p>{@link Datagram} and its records are for whoever thinks in messages: devices, tests, tools.
 * {@link DatagramReader}, {@link DatagramWriter} and {@link HmacSha256} are the same codec without
 * allocation, for a server that handles hundreds of thousands of datagrams per second; the records
 * are built on them, so there is one codec.
 *
 * <p>All numbers are big-endian and unsigned. Layouts, code points and test vectors:
 * docs/PROTOCOL.md. No socket, no clock, no randomness here.
 */
@NullMarked
package dev.beckon.protocol.datagram;

import org.jspecify.annotations.NullMarked;
