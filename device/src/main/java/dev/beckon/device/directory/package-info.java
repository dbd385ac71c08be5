/**
 * The device's copy of the directory: which lists it believes, and when it asks for one.
 *
 * <p>{@link dev.beckon.device.directory.DirectoryCheck} judges lists, {@link
 * dev.beckon.device.directory.PullLogic} says when to pull and which servers to dial. Must not
 * depend on sockets, files, clocks or threads.
 */
@NullMarked
package dev.beckon.device.directory;

import org.jspecify.annotations.NullMarked;
