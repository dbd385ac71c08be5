package dev.beckon.lab.fleet;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** What became of the sessions of a {@link SessionLoad}. Thread-safe. */
public final class SessionCounts {

  /** Longest time that is told apart; no session lives longer without running into a limit. */
  private static final long MAX_MICROS = TimeUnit.MINUTES.toMicros(10);

  private static final int DIGITS = 3;
  private static final int MAX_KINDS = 50;

  private final LongAdder dialled = new LongAdder();
  private final LongAdder handshakes = new LongAdder();
  private final LongAdder resumed = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private final LongAdder commands = new LongAdder();
  private final LongAdder confirmed = new LongAdder();
  private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
  private final Recorder handshakeMicros = new Recorder(MAX_MICROS, DIGITS);
  private final Recorder sessionMicros = new Recorder(MAX_MICROS, DIGITS);

  SessionCounts() {}

  void countDialled() {
    dialled.increment();
  }

  void countHandshake(long nanos, boolean resumedSession) {
    handshakes.increment();
    if (resumedSession) {
      resumed.increment();
    }
    record(handshakeMicros, nanos);
  }

  void countCommand() {
    commands.increment();
  }

  void countConfirmed() {
    confirmed.increment();
  }

  void countEnded(long nanos) {
    ended.increment();
    record(sessionMicros, nanos);
  }

  void countFailure(String why) {
    // Reasons come from all over the place; their number must not.
    String kind = failures.size() < MAX_KINDS || failures.containsKey(why) ? why : "other";
    failures.computeIfAbsent(kind, key -> new LongAdder()).increment();
  }

  private static void record(Recorder recorder, long nanos) {
    recorder.recordValue(Math.clamp(TimeUnit.NANOSECONDS.toMicros(nanos), 0, MAX_MICROS));
  }

  /** Connections begun. */
  public long dialled() {
    return dialled.sum();
  }

  /** TLS handshakes that the device's end completed. */
  public long handshakes() {
    return handshakes.sum();
  }

  /** Those among them in which a device resumed its TLS session. */
  public long resumed() {
    return resumed.sum();
  }

  /** Sessions that ended well, or in a load of handshakes those that the server closed in turn. */
  public long ended() {
    return ended.sum();
  }

  /** Commands that came. */
  public long commands() {
    return commands.sum();
  }

  /** Commands whose end the server said it keeps. */
  public long confirmed() {
    return confirmed.sum();
  }

  /** Sessions that did not end well, by reason. */
  public Map<String, Long> failures() {
    Map<String, Long> sums = new TreeMap<>();
    failures.forEach((why, count) -> sums.put(why, count.sum()));
    return sums;
  }

  /** From dialling to the end of the handshake, microseconds, since the last call. */
  public Histogram takeHandshakeMicros() {
    return handshakeMicros.getIntervalHistogram();
  }

  /** From dialling to the end of sessions that ended well, microseconds, since the last call. */
  public Histogram takeSessionMicros() {
    return sessionMicros.getIntervalHistogram();
  }
}
