package dev.beckon.server.wake;

/**
 * How fast many devices are woken. It learns how many sessions a second the server takes from how
 * long a piece of work waits for its turn there, and spreads the sessions by a dial-back delay.
 *
 * <p>The pace grows while it is made use of and nothing waits, and is cut when work waits: so it
 * settles where the server is busy with the devices of groups, and a single command still goes
 * through at once. What was learned is kept from one group to the next.
 *
 * <p>Knows no clock, thread or socket. Not thread-safe.
 */
public final class PaceLogic {

  /**
   * Wakes per second, however little time the server needs for a session. They leave from the
   * socket that takes the keepalives, of which a core takes twenty times as many.
   */
  public static final int FASTEST_PER_SECOND = 5_000;

  /** The pace to begin with, before anything is learned: any small server does as much. */
  static final int FIRST_PER_SECOND = 200;

  /** Work that waits for so long shows that the server has more than it can do. */
  static final long BUSY_NANOS = 100_000_000L;

  /** Below this there is room for more. */
  static final long IDLE_NANOS = 25_000_000L;

  /** What is cut off shows only when the sessions of the wakes before have come. */
  static final long CUT_PAUSE_NANOS = 1_500_000_000L;

  /** One such finding may be the garbage collector's. */
  static final int FINDINGS_FOR_A_CUT = 2;

  private static final double CUT = 0.7;

  /** Per second, until the first cut: from the first pace to the fastest in 8 s. */
  private static final double SEARCHING_GROWTH = 1.5;

  /** Per second, from then on: a cut is made up for in 5 s. */
  private static final double GROWTH = 1.07;

  /** Of allowance that is kept while there is nobody to wake: seconds of the present pace. */
  private static final double BURST_SECONDS = 0.2;

  /**
   * Smooths what leaves in one go: a tick's wakes, or the devices that are back after an outage.
   */
  static final long MIN_DELAY_MILLIS = 1_000;

  /** Longer than this devices are woken later instead: the server can still react. */
  static final long MAX_DELAY_MILLIS = 10_000;

  /**
   * A device that has not dialled so long after its delay is not about to: its path takes datagrams
   * and no connections, say. A handshake over a satellite takes 3 s.
   */
  static final long DIAL_GRACE_MILLIS = 3_000;

  private static final double SECOND_NANOS = 1e9;

  private final int slowestPerSecond;
  private double perSecond;
  private double allowance;
  private long lastNanos;
  private long measuredNanos;
  private long cutNanos;
  private boolean searching = true;
  private boolean wanted; // more than was allowed, since the last measurement
  private int busyFindings;

  /**
   * @param slowestPerSecond the pace below which it never goes: deadlines count on it
   */
  public PaceLogic(int slowestPerSecond, long nowNanos) {
    this.slowestPerSecond = slowestPerSecond;
    this.perSecond = Math.max(slowestPerSecond, FIRST_PER_SECOND);
    this.lastNanos = nowNanos;
    this.measuredNanos = nowNanos;
    this.cutNanos = nowNanos - CUT_PAUSE_NANOS;
  }

  /**
   * How many devices may be woken now.
   *
   * @param dialling devices that answered a paced wake and are about to dial
   */
  public int mayWake(int dialling, long nowNanos) {
    double most = Math.max(1, perSecond * BURST_SECONDS);
    allowance = Math.min(most, allowance + (nowNanos - lastNanos) / SECOND_NANOS * perSecond);
    lastNanos = nowNanos;
    // Those that dial later than they were asked to are sessions that the server owes already.
    double owed = perSecond * (MAX_DELAY_MILLIS + DIAL_GRACE_MILLIS) / 1_000;
    return dialling >= owed ? 0 : (int) allowance;
  }

  /**
   * So many were woken.
   *
   * @param count at most as many as {@link #mayWake} said
   * @param more whether there were more to be woken
   */
  public void woken(int count, boolean more) {
    allowance -= count;
    wanted |= more;
  }

  /**
   * The dial-back delay that the next wakes carry. A device dials after a random part of it, so it
   * is how long the sessions of those who are about to dial take at the present pace.
   *
   * @param dialling as for {@link #mayWake}, and those to be woken now
   */
  public long dialBackDelayMillis(int dialling) {
    return Math.clamp((long) (1_000 * dialling / perSecond), MIN_DELAY_MILLIS, MAX_DELAY_MILLIS);
  }

  /**
   * How long work waited for its turn, found out a few times a second.
   *
   * @param queueNanos the longest of the places where work can wait
   */
  public void measured(long queueNanos, long nowNanos) {
    double seconds = Math.min(1, (nowNanos - measuredNanos) / SECOND_NANOS);
    measuredNanos = nowNanos;
    busyFindings = queueNanos > BUSY_NANOS ? busyFindings + 1 : 0;
    if (busyFindings >= FINDINGS_FOR_A_CUT) {
      if (nowNanos - cutNanos >= CUT_PAUSE_NANOS) {
        perSecond = Math.max(slowestPerSecond, perSecond * CUT);
        searching = false;
        cutNanos = nowNanos;
      }
    } else if (queueNanos < IDLE_NANOS && wanted) {
      perSecond =
          Math.min(
              FASTEST_PER_SECOND,
              perSecond * Math.pow(searching ? SEARCHING_GROWTH : GROWTH, seconds));
    }
    wanted = false;
  }

  /** Devices per second, at present. */
  public double perSecond() {
    return perSecond;
  }
}
