/**
 * When a device sends which keepalive, and what an answer changes: rules without I/O.
 *
 * <p>{@link dev.beckon.device.keepalive.KeepaliveLogic} holds the rules; {@link
 * dev.beckon.device.keepalive.KeyRing} the keys. Must not depend on sockets, clocks or threads.
 */
@NullMarked
package dev.beckon.device.keepalive;

import org.jspecify.annotations.NullMarked;
