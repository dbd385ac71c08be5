/**
 * Wakes: asks devices to dial, through the mapping that their keepalives hold open.
 *
 * <p>{@link dev.beckon.server.wake.Wakes} holds the rules; {@link
 * dev.beckon.server.wake.WakeThread} calls it when time has passed.
 */
@NullMarked
package dev.beckon.server.wake;

import org.jspecify.annotations.NullMarked;
