package dev.beckon.device.command;

import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Update;

/** What {@link CommandLogic} wants done. */
public sealed interface CommandEffect {
  /**
   * Tell the server, if a session is open. What has ended is told again in every session until its
   * receipt comes, so nothing is lost without one.
   */
  record Report(Update update) implements CommandEffect {}

  /** Run the command, then call {@link CommandLogic#onEnded}. */
  record Run(Command command) implements CommandEffect {}

  /** The command's bodies are of no use any more. */
  record Discard(String commandId) implements CommandEffect {}
}
