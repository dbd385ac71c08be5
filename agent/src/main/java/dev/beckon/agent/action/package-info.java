/**
 * The built-in actions of the agent. Each has a class for its part of {@code agent.yaml} and one
 * that carries it out; {@link dev.beckon.agent.action.BuiltInActions} puts them together.
 */
@NullMarked
package dev.beckon.agent.action;

import org.jspecify.annotations.NullMarked;
