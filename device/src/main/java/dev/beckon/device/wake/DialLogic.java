package dev.beckon.device.wake;

import java.time.Duration;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When the device dials one server, and for which wake.
 *
 * <p>One session at a time serves all that is wanted of the server. A failed dial is tried again
 * after 1, 3, 7, 15 … s, until the deadline of what wants it. {@link Dials} holds one of these per
 * server, and the limit that they share.
 *
 * <p>Knows no clock, socket or thread. Not thread-safe.
 */
public final class DialLogic {
  private static final long FIRST_RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** The pauses double up to this one, where nothing ends the tries. */
  private static final long MAX_RETRY_NANOS = Duration.ofHours(1).toNanos();

  /** A dial-in that fails for so long is left to the next dial-in or wake. */
  private static final long DIAL_IN_LIFE_NANOS = Duration.ofMinutes(5).toNanos();

  /** A session that stood for so long was a good one: what failed before it is history. */
  private static final long GOOD_SESSION_NANOS = Duration.ofMinutes(1).toNanos();

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

  private final DoubleSupplier random;
  private State state = State.IDLE;
  private long dialNanos; // meaningful while PLANNED
  private long openedNanos; // meaningful while OPEN
  private long wakeId;
  private boolean pull;
  private long pullWakeId;
  private boolean wanted;
  private boolean endless; // wanted until it succeeds
  private long deadlineNanos; // meaningful while wanted and not endless
  private boolean barred; // the server will not have this device
  private int failures;

  /**
   * @param random uniform in [0, 1), for the dial-back delay
   */
  DialLogic(DoubleSupplier random) {
    this.random = random;
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
    return wantSoon(newDeadlineNanos, dialBackDelayMillis, nowNanos);
  }

  /**
   * The directory is wanted of this server.
   *
   * @param newWakeId the wake that says so; 0 if none did
   * @return whether a session is being dialled or open, which must ask for it
   */
  public boolean onPull(
      long newWakeId, long newDeadlineNanos, long dialBackDelayMillis, long nowNanos) {
    if (barred && newWakeId == 0) {
      return false;
    }
    pull = true;
    pullWakeId = newWakeId;
    return wantSoon(newDeadlineNanos, dialBackDelayMillis, nowNanos);
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

  /** Whether a dial is due. One whose time is over is dropped instead. */
  boolean isDue(long nowNanos) {
    if (state != State.PLANNED || dialNanos - nowNanos > 0) {
      return false;
    }
    if (isOver(nowNanos)) {
      forget();
      state = State.IDLE;
      return false;
    }
    return true;
  }

  /** The dial that is due is made now. */
  Dials.Dial dial(int server) {
    state = State.DIALLING;
    return new Dials.Dial(server, wakeId, pull, pullWakeId);
  }

  /** When a dial is due; {@code null} if none is planned. */
  @Nullable Long plannedNanos() {
    return state == State.PLANNED ? dialNanos : null;
  }

  /** Whether nothing is planned, open or to be remembered. */
  boolean isForgettable() {
    return state == State.IDLE && !barred && !wanted && failures == 0;
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

  /** The device has no address of the server (any more): what wanted it is forgotten. */
  public void onUnknown() {
    forget();
    state = State.IDLE;
  }

  /** The server welcomed the device: what wanted the session has it. */
  public void onOpened(long nowNanos) {
    barred = false;
    wanted = false; // the wake and its deadline are remembered, in case it is not served
    endless = false;
    openedNanos = nowNanos;
    state = State.OPEN;
  }

  /** The session is over. */
  public void onClosed(Ending ending, long nowNanos) {
    if (state == State.OPEN && nowNanos - openedNanos >= GOOD_SESSION_NANOS) {
      failures = 0;
    }
    state = State.IDLE;
    switch (ending) {
      case FINISHED -> {
        forget(); // a wake that came while the session was open was served in it
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

  private boolean wantSoon(long newDeadlineNanos, long dialBackDelayMillis, long nowNanos) {
    want(newDeadlineNanos);
    if (state == State.DIALLING || state == State.OPEN) {
      return true;
    }
    long delay = (long) (dialBackDelayMillis * 1_000_000.0 * random.getAsDouble());
    plan(nowNanos + delay);
    return false;
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
    pull = false;
    pullWakeId = 0;
    failures = 0;
  }
}
