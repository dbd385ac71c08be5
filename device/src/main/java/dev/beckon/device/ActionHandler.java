package dev.beckon.device;

/** Does what an {@link Action} says. */
@FunctionalInterface
public interface ActionHandler {
  /**
   * Runs one command. Called on a thread of the action: one command at a time per action, different
   * actions at the same time. It may take as long as it needs; when the device is closed the thread
   * is interrupted.
   *
   * @return how it ended
   * @throws Exception if it failed; the message becomes the reason
   */
  Result run(Command command) throws Exception;
}
