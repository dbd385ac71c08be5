package dev.beckon.server.directory;

import dev.beckon.server.store.StoreException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what needs the database; if that fails, again a while later, unless something newer came
 * meanwhile. Not thread-safe: {@code later} must come back on the thread of {@link #attempt}.
 */
public final class Retry {
  private static final Logger log = LoggerFactory.getLogger(Retry.class);

  /** What is attempted. */
  @FunctionalInterface
  public interface Task {
    void run() throws ListRefusedException;
  }

  private final String what;
  private final Executor later;
  private int newest; // counts the tasks

  /**
   * @param what is attempted, for the log
   * @param later runs its task after a pause
   */
  public Retry(String what, Executor later) {
    this.what = what;
    this.later = later;
  }

  /** Runs this task in place of the one before, which it makes out of date. */
  public void attempt(Task task) {
    newest++;
    run(task, newest);
  }

  private void run(Task task, int number) {
    if (number != newest) {
      return;
    }
    try {
      task.run();
    } catch (ListRefusedException refused) {
      log.error("{}: refused: {}", what, refused.getMessage());
    } catch (CompletionException | StoreException failure) {
      log.warn("{}: failed; it is tried again", what, failure);
      later.execute(() -> run(task, number));
    }
  }
}
