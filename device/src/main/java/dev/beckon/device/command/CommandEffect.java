package dev.beckon.device.command;

import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Update;

/** What {@link CommandLogic} wants done. */
public sealed interface CommandEffect {
  /** The command it is about. */
  CommandKey key();

  /**
   * Tell the server that gave the command, if a session with it is open. What has ended is told
   * again in every session until its receipt comes, so nothing is lost without one.
   */
  record Report(CommandKey key, Update update) implements CommandEffect {}

  /** Run the command, then call {@link CommandLogic#onEnded}. */
  record Run(CommandKey key, Command command) implements CommandEffect {}

  /** The command's bodies are of no use any more. */
  record Discard(CommandKey key) implements CommandEffect {}
}
