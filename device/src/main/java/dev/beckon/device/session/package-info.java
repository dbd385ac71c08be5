/**
 * One session on the device's side.
 *
 * <p>{@link dev.beckon.device.session.SessionLogic} holds the rules, without I/O; {@link
 * dev.beckon.device.session.Frames} reads and writes frames on streams.
 */
@NullMarked
package dev.beckon.device.session;

import org.jspecify.annotations.NullMarked;
