package dev.beckon.device.wake;

import java.time.Duration;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When the device dials, and for which wake.
 *
 * <p>One session at a time serves all that is wanted. Dialling is limited to a burst of 10, then
 * one per 5 s; a limited dial is delayed, never dropped. A failed one is tried again after 1, 3, 7,
 * 15 … s, until the deadline of what wants it.
 *
 * <p>Knows no clock, socket or thread. Not thread-safe.
 */
public final class DialLogic {
  static final int BURST = 10;
  static final long REFILL_NANOS = Duration.ofSeconds(5).toNanos();
  private static final long FIRST_RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** The pauses double up to this one, where nothing ends the tries. */
  private static final long MAX_RETRY_NANOS = Duration.ofHours(1).toNanos();

  /** A dial-in that fails for so long is left to the next dial-in or wake. */
  private static final long DIAL_IN_LIFE_NANOS = Duration.ofMinutes(5).toNanos();

  private enum State {
    IDLE,
    PLANNED,
    DIALLING,
    OPEN
  }

  /** How a session ended, as far as dialling again goes. */
  public enum Ending {
    /** Nothing is left to do. */
    FINISHED,
    /** It broke, or the server closed it, before the wake that it followed was served. */
    UNSERVED_WAKE,
    /** Commands run or ends are unreported. */
    UNFINISHED
  }

  /**
   * Dial now.
   *
   * @param wakeId the newest wake that wants it; 0 if none does
   */
  public record Dial(long wakeId) {}

  private final DoubleSupplier random;
  private State state = State.IDLE;
  private long dialNanos; // meaningful while PLANNED
  private long wakeId;
  private boolean wanted;
  private boolean endless; // wanted until it succeeds
  private long deadlineNanos; // meaningful while wanted and not endless
  private boolean barred; // the server will not have this device
  private int failures;
  private long fullNanos; // the bucket is full again at this time

  /**
   * @param random uniform in [0, 1), for the dial-back delay
   */
  public DialLogic(DoubleSupplier random, long nowNanos) {
    this.random = random;
    this.fullNanos = nowNanos;
  }

  /**
   * A wake was accepted.
   *
   * @param dialBackDelayMillis dial after a random part of it
   * @return whether a session is being dialled or open, which must be told of the wake
   */
  public boolean onWake(
      long newWakeId, long newDeadlineNanos, long dialBackDelayMillis, long nowNanos) {
    wakeId = newWakeId;
    want(newDeadlineNanos);
    if (state == State.DIALLING || state == State.OPEN) {
      return true;
    }
    long delay = (long) (dialBackDelayMillis * 1_000_000.0 * random.getAsDouble());
    plan(nowNanos + delay);
    return false;
  }

  /** A session is wanted although no wake came. */
  public void onDialIn(long nowNanos) {
    if (barred || state == State.DIALLING || state == State.OPEN) {
      return;
    }
    want(nowNanos + DIAL_IN_LIFE_NANOS);
    plan(nowNanos);
  }

  /** Something is to be reported that a broken session (or a restart) left unreported. */
  public void onUnreported(long nowNanos) {
    if (barred || state == State.DIALLING || state == State.OPEN) {
      return;
    }
    endless = true;
    wanted = true;
    plan(nowNanos + FIRST_RETRY_NANOS);
  }

  /** The dial that is due, if one is. The caller reports how it went. */
  public @Nullable Dial onTime(long nowNanos) {
    if (state != State.PLANNED || dialNanos - nowNanos > 0) {
      return null;
    }
    if (isOver(nowNanos)) {
      forget();
      state = State.IDLE;
      return null;
    }
    long emptyNanos = fullNanos - (BURST - 1) * REFILL_NANOS; // a token is there from then on
    if (emptyNanos - nowNanos > 0) {
      dialNanos = emptyNanos;
      return null;
    }
    fullNanos = (fullNanos - nowNanos > 0 ? fullNanos : nowNanos) + REFILL_NANOS;
    state = State.DIALLING;
    return new Dial(wakeId);
  }

  /** When {@link #onTime} has something to do next; {@code null} if nothing is planned. */
  public @Nullable Long nextNanos() {
    return state == State.PLANNED ? dialNanos : null;
  }

  /** The dial failed before the server welcomed the device. */
  public void onFailed(long nowNanos) {
    failures++;
    retry(nowNanos);
  }

  /**
   * The server will not have this device. From now on it dials for wakes only: only a server that
   * has it (again) can make one.
   */
  public void onRefused() {
    barred = true;
    forget();
    state = State.IDLE;
  }

  /** The server welcomed the device: what wanted the session has it. */
  public void onOpened() {
    barred = false;
    wanted = false; // the wake and its deadline are remembered, in case it is not served
    endless = false;
    state = State.OPEN;
  }

  /** The session is over. */
  public void onClosed(Ending ending, long nowNanos) {
    state = State.IDLE;
    switch (ending) {
      case FINISHED -> {
        forget(); // a wake that came while the session was open was served in it
        failures = 0;
      }
      case UNSERVED_WAKE -> {
        wanted = true;
        long pause = failures == 0 ? 0 : pauseNanos();
        failures++;
        planUnlessOver(nowNanos + pause);
      }
      case UNFINISHED -> {
        wanted = true;
        endless = true; // the deadline of a wake that was served meanwhile does not count
        failures++;
        retry(nowNanos);
      }
    }
  }

  private void want(long newDeadlineNanos) {
    deadlineNanos =
        wanted && !endless && deadlineNanos - newDeadlineNanos > 0
            ? deadlineNanos
            : newDeadlineNanos;
    wanted = true;
    failures = 0;
  }

  private void plan(long atNanos) {
    if (state != State.PLANNED || dialNanos - atNanos > 0) {
      dialNanos = atNanos;
    }
    state = State.PLANNED;
  }

  private void retry(long nowNanos) {
    state = State.IDLE;
    if (!wanted) {
      return;
    }
    planUnlessOver(nowNanos + pauseNanos());
  }

  private long pauseNanos() {
    return failures > 32
        ? MAX_RETRY_NANOS
        : Math.min(MAX_RETRY_NANOS, FIRST_RETRY_NANOS << Math.max(0, failures - 1));
  }

  private void planUnlessOver(long atNanos) {
    plan(atNanos);
    if (isOver(atNanos)) {
      forget();
      state = State.IDLE;
    }
  }

  private boolean isOver(long atNanos) {
    return !endless && deadlineNanos - atNanos < 0;
  }

  private void forget() {
    wanted = false;
    endless = false;
    wakeId = 0;
  }
}
