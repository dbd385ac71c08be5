/**
 * What becomes of a command on the device, and the journal that makes it run at most once.
 *
 * <p>{@link dev.beckon.device.command.CommandLogic} holds the rules, {@link
 * dev.beckon.device.command.Journal} is what it writes to, {@link
 * dev.beckon.device.command.FileJournal} the file behind it.
 */
@NullMarked
package dev.beckon.device.command;

import org.jspecify.annotations.NullMarked;
