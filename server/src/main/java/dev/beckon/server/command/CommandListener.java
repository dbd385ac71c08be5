package dev.beckon.server.command;

/**
 * Is told what happened, after it became durable and in that order. All calls come from one thread
 * that every command waits for: return at once, and never wait for another command here.
 */
public interface CommandListener {

  /** A new command waits for its device; not told of the commands of a group. */
  default void accepted(Command command) {}

  /** State, result or timeline of a command changed. */
  default void changed(Command command) {}

  /**
   * A group command came, or its counts changed: told a few times a second at most, and once more
   * when it has ended.
   */
  default void groupChanged(Group group) {}

  /** The device may have this command and shall be asked to cancel it. */
  default void cancelAsked(Command command) {}
}
