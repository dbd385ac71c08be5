/**
 * Commands: accepted durably, handed to the device's session, followed to their end.
 *
 * <p>{@link dev.beckon.server.command.Commands} is the face. The rules (which state follows which,
 * what fits a declared action) are plain objects without SQL: {@link
 * dev.beckon.server.command.CommandLife} and {@link dev.beckon.server.command.DeclaredActions}.
 */
@NullMarked
package dev.beckon.server.command;

import org.jspecify.annotations.NullMarked;
