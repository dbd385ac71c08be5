/**
 * What a wake makes the device do, and when it dials: rules without I/O.
 *
 * <p>{@link dev.beckon.device.wake.WakeLogic} judges wakes, {@link dev.beckon.device.wake.Dials}
 * says when to dial which server. Must not depend on sockets, clocks or threads.
 */
@NullMarked
package dev.beckon.device.wake;

import org.jspecify.annotations.NullMarked;
