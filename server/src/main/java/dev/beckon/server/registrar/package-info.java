/**
 * The registrar: remembers where each device is.
 *
 * <p>{@link dev.beckon.server.registrar.KeepaliveHandler} reads a datagram from top to bottom:
 * decode, authenticate, update, answer. {@link dev.beckon.server.registrar.Registrar} holds the
 * rules and answers questions about presence; {@link dev.beckon.server.registrar.BindingTable}
 * holds one 64-byte row per device, {@link dev.beckon.server.registrar.RowTable} lays the rows out.
 * No socket, no clock, no thread, no file.
 */
@NullMarked
package dev.beckon.server.registrar;

import org.jspecify.annotations.NullMarked;
