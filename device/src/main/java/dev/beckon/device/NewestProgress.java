package dev.beckon.device;

import dev.beckon.device.command.CommandKey;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * Passes the progress of running commands on to another thread: per command one report at a time,
 * the newest. So a handler that reports more often than anybody can read holds nothing up.
 *
 * <p>Thread-safe.
 */
final class NewestProgress implements ActionRunner.OnProgress {
  private record Progress(int percent, String text) {}

  private final Map<CommandKey, Progress> newest = new ConcurrentHashMap<>();
  private final Executor thread;
  private final ActionRunner.OnProgress receiver;

  /**
   * @param receiver called on {@code thread}
   */
  NewestProgress(Executor thread, ActionRunner.OnProgress receiver) {
    this.thread = thread;
    this.receiver = receiver;
  }

  @Override
  public void accept(CommandKey key, int percent, String text) {
    if (newest.put(key, new Progress(percent, text)) == null) {
      thread.execute(() -> pass(key));
    }
  }

  private void pass(CommandKey key) {
    Progress progress = newest.remove(key);
    if (progress != null) {
      receiver.accept(key, progress.percent(), progress.text());
    }
  }
}
