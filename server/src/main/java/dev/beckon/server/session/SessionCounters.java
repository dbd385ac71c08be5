package dev.beckon.server.session;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/** What happened on the session port since the start. Thread-safe. */
public final class SessionCounters {

  private final LongAdder opened = new LongAdder();
  private final LongAdder enrolled = new LongAdder();
  private final LongAdder[] refused = adders(Refusal.values().length);
  private final LongAdder[] closed = adders(CloseReason.values().length);

  SessionCounters() {}

  private static LongAdder[] adders(int count) {
    LongAdder[] adders = new LongAdder[count];
    Arrays.setAll(adders, i -> new LongAdder());
    return adders;
  }

  /** Sessions whose Hello was accepted. */
  public long opened() {
    return opened.sum();
  }

  /** Enrollment requests that were answered. */
  public long enrolled() {
    return enrolled.sum();
  }

  /** Connections that ended before a session began. */
  public long refused(Refusal reason) {
    return refused[reason.ordinal()].sum();
  }

  /** Connections of a known device that ended; with its certificate, also before Hello. */
  public long closed(CloseReason reason) {
    return closed[reason.ordinal()].sum();
  }

  void countOpened() {
    opened.increment();
  }

  void countEnrolled() {
    enrolled.increment();
  }

  void count(Refusal reason) {
    refused[reason.ordinal()].increment();
  }

  void count(CloseReason reason) {
    closed[reason.ordinal()].increment();
  }
}
