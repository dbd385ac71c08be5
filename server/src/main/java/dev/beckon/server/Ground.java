package dev.beckon.server;

import dev.beckon.server.store.Database;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the parts of a server stand on, whatever its roles.
 *
 * @param background for what reads the database or computes, one virtual thread each
 * @param timer for what is done again and again; its tasks are short
 * @param nanoClock elapsed time
 * @param clock wall time
 */
record Ground(
    ServerConfig config,
    Opened opened,
    Database database,
    ExecutorService background,
    ScheduledExecutorService timer,
    SecureRandom random,
    LongSupplier nanoClock,
    InstantSource clock) {
  private static final Logger log = LoggerFactory.getLogger(Ground.class);

  static Ground open(
      ServerConfig config, Opened opened, LongSupplier nanoClock, InstantSource clock) {
    Database database = opened.add(Database.open(config.data()));
    ExecutorService background = Executors.newVirtualThreadPerTaskExecutor();
    opened.add(background::shutdownNow);
    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("timer").daemon().factory());
    opened.add(timer::shutdownNow);
    return new Ground(
        config, opened, database, background, timer, new SecureRandom(), nanoClock, clock);
  }

  /** Runs tasks on that thread, each after this pause; none once it has stopped. */
  Executor later(Duration pause, Executor thread) {
    return task -> {
      var _ = timer.schedule(() -> thread.execute(task), pause.toMillis(), TimeUnit.MILLISECONDS);
    };
  }

  /** Runs the task now and then again, each time so long after the last one ended. */
  void every(Duration pause, Runnable task) {
    timer.scheduleWithFixedDelay(
        () -> {
          try {
            task.run();
          } catch (RuntimeException e) { // a task that fails would not be called again
            log.error("a timed task failed; it is tried again", e);
          }
        },
        0,
        pause.toMillis(),
        TimeUnit.MILLISECONDS);
  }
}
