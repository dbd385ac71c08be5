package dev.beckon.server.wake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pace against servers of known capacity, in virtual time. */
class PaceLogicTest {
  private static final int SLOWEST = 100;
  private static final long TICK = 50_000_000L;
  private static final double SECOND = 1e9;

  private final PaceLogic pace = new PaceLogic(SLOWEST, 0);
  private long now;

  /**
   * A server that takes so many sessions a second, and what is under way to it.
   *
   * <p>Woken devices answer at once and dial after a random part of the delay; what the server does
   * not come to waits.
   */
  private final class Fleet {
    final double capacity;
    final Random random = new Random(7);
    final Deque<Long> dials = new ArrayDeque<>();
    double queue;
    int dialling;
    int served;
    double longestQueueSeconds;

    Fleet(double capacity) {
      this.capacity = capacity;
    }

    void run(double seconds, boolean endless) {
      PriorityQueue<Long> due = new PriorityQueue<>(dials);
      long end = now + (long) (seconds * SECOND);
      for (int tick = 0; now < end; tick++, now += TICK) {
        int may = pace.mayWake(dialling, now);
        long delay = pace.dialBackDelayMillis(dialling + may);
        for (int i = 0; endless && i < may; i++) {
          due.add(now + (long) (random.nextDouble() * delay * 1e6));
          dialling++;
        }
        pace.woken(endless ? may : 0, endless);
        while (!due.isEmpty() && due.peek() <= now) {
          due.poll();
          dialling--;
          queue++;
        }
        double done = Math.min(queue, capacity * TICK / SECOND);
        queue -= done;
        served += (int) Math.round(done);
        longestQueueSeconds = Math.max(longestQueueSeconds, queue / capacity);
        if (tick % 5 == 0) {
          pace.measured((long) (queue / capacity * SECOND), now);
        }
      }
      dials.clear();
      dials.addAll(due);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 1_000, 3_000})
  void settlesAtWhatTheServerTakes(int capacity) {
    Fleet fleet = new Fleet(capacity);
    fleet.run(60, true);
    int before = fleet.served;
    fleet.longestQueueSeconds = 0;

    fleet.run(60, true);

    assertThat((fleet.served - before) / 60.0)
        .as("sessions per second")
        .isBetween(0.75 * capacity, 1.01 * capacity);
    assertThat(fleet.longestQueueSeconds).as("nobody waits for long").isLessThan(1);
  }

  @Test
  void neverGoesBelowTheSlowestThatDeadlinesCountOn() {
    Fleet fleet = new Fleet(20);
    fleet.run(30, true);

    assertThat(pace.perSecond()).isEqualTo(SLOWEST);
  }

  @Test
  void neverGoesAboveTheFastestThatKeepalivesPermit() {
    Fleet fleet = new Fleet(1e6);
    fleet.run(30, true);

    assertThat(pace.perSecond()).isEqualTo(PaceLogic.FASTEST_PER_SECOND);
  }

  @Test
  void slowsDownWhenTheServerBecomesBusyWithOtherThingsAndRecovers() {
    Fleet strong = new Fleet(2_000);
    strong.run(60, true);
    double learned = pace.perSecond();
    new Fleet(400).run(20, true);
    assertThat(pace.perSecond()).isLessThan(700);

    new Fleet(2_000).run(60, true);

    assertThat(pace.perSecond()).isCloseTo(learned, within(learned * 0.45));
  }

  @Test
  void learnsNothingWhileThereIsNobodyToWake() {
    new Fleet(5_000).run(60, false);

    assertThat(pace.perSecond()).isEqualTo(PaceLogic.FIRST_PER_SECOND);
    assertThat(pace.mayWake(0, now)).as("no more than a moment's worth is saved up").isLessThan(50);
  }

  @Test
  void oneSlowMomentCutsNothing() {
    pace.measured(PaceLogic.BUSY_NANOS * 5, 250_000_000L);
    pace.measured(0, 500_000_000L);
    pace.measured(PaceLogic.BUSY_NANOS * 5, 750_000_000L);

    assertThat(pace.perSecond()).isEqualTo(PaceLogic.FIRST_PER_SECOND);
  }

  @Test
  void spreadsTheSessionsThatAreAboutToComeOverTheTimeTheyTake() {
    assertThat(pace.dialBackDelayMillis(0)).isEqualTo(PaceLogic.MIN_DELAY_MILLIS);
    assertThat(pace.dialBackDelayMillis(PaceLogic.FIRST_PER_SECOND * 4)).isEqualTo(4_000);
    assertThat(pace.dialBackDelayMillis(1_000_000)).isEqualTo(PaceLogic.MAX_DELAY_MILLIS);
  }

  @Test
  void wakesNobodyWhileMoreAreDiallingThanCanBeWithinTheLongestDelay() {
    now += (long) SECOND;
    assertThat(pace.mayWake(PaceLogic.FIRST_PER_SECOND * 13, now)).isZero();
    assertThat(pace.mayWake(PaceLogic.FIRST_PER_SECOND * 13 - 1, now)).isPositive();
  }
}
