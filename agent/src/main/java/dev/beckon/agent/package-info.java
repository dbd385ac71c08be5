/**
 * A ready device with its own main: {@code enroll} and {@code agent}.
 *
 * <p>{@link dev.beckon.agent.EnrollCommand} and {@link dev.beckon.agent.AgentCommand} are picocli
 * commands, so that another program can offer them too.
 */
@NullMarked
package dev.beckon.agent;

import org.jspecify.annotations.NullMarked;
