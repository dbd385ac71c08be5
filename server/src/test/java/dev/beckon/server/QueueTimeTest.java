package dev.beckon.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.server.wake.PaceLogic;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** What is found out about queues, in virtual time. */
class QueueTimeTest {
  private static final long MILLI = 1_000_000L;
  private static final long MEASURE = 250 * MILLI;

  private long now;
  private long loopWait;
  private long writerWait;
  private boolean stuck;
  private final Executor loop = task -> after(loopWait, task);
  private final Executor writer = task -> after(writerWait, task);
  private final QueueTime queueTime = new QueueTime(List.of(loop), writer, () -> now);

  private void after(long wait, Runnable task) {
    if (!stuck) {
      now += wait;
      task.run();
      now -= wait;
    }
  }

  private long measure() {
    now += MEASURE;
    return queueTime.measure();
  }

  private long measureOften(int times) {
    long last = 0;
    for (int i = 0; i < times; i++) {
      last = measure();
    }
    return last;
  }

  @Test
  void tellsTheLongestWaitOfAll() {
    loopWait = 30 * MILLI;
    measure();
    assertThat(measure()).isEqualTo(30 * MILLI);
    writerWait = 70 * MILLI;
    measure();

    assertThat(measure()).isEqualTo(70 * MILLI);
  }

  @Test
  void tellsOfATaskThatIsStillWaiting() {
    stuck = true;
    measure();

    assertThat(measure()).isEqualTo(MEASURE);
    assertThat(measure()).isEqualTo(2 * MEASURE);
  }

  @Test
  void aDiskThatTakesItsTimeForEachWriteIsNoQueue() {
    writerWait = 30 * MILLI;
    measureOften(2 * QueueTime.KEPT);

    assertThat(measure()).isZero();
    writerWait = 45 * MILLI;
    measure();
    assertThat(measure()).isEqualTo(15 * MILLI);
  }

  @Test
  void aQueueThatIsThereAllTheTimeIsNoDisk() {
    writerWait = 300 * MILLI;

    assertThat(measureOften(3 * QueueTime.KEPT))
        .isEqualTo(300 * MILLI - QueueTime.SLOWEST_DISK_NANOS);
  }

  @Test
  void thePaceGrowsOnAnOrdinaryDiskToo() {
    long seed = 11;
    Random random = new Random(seed);
    PaceLogic pace = new PaceLogic(100, now);
    double first = pace.perSecond();
    for (int i = 0; i < 240; i++) {
      writerWait = (30 + random.nextInt(15)) * MILLI; // a fsync, and what is left of one before it
      long waited = measure();
      pace.woken(0, true);
      pace.measured(waited, now);
    }

    assertThat(pace.perSecond()).as("seed " + seed).isGreaterThan(5 * first);
  }

  @Test
  void aThreadThatTakesNothingAnyMoreIsNoQueue() {
    QueueTime stopping =
        new QueueTime(
            List.of(),
            task -> {
              throw new RejectedExecutionException("stopped");
            },
            () -> now);
    stopping.measure();
    now += MEASURE;

    assertThat(stopping.measure()).isZero();
  }
}
