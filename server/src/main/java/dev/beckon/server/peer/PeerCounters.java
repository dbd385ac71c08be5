package dev.beckon.server.peer;

import java.util.concurrent.atomic.LongAdder;

/** What happened on connections between servers since the start. Thread-safe. */
public final class PeerCounters {

  private final LongAdder opened = new LongAdder();
  private final LongAdder wakesAsked = new LongAdder();
  private final LongAdder wakesRefused = new LongAdder();
  private final LongAdder[] ended = new LongAdder[PeerEnd.values().length];

  PeerCounters() {
    java.util.Arrays.setAll(ended, i -> new LongAdder());
  }

  /** Connections that were admitted. */
  public long opened() {
    return opened.sum();
  }

  /** Wakes that were asked for. */
  public long wakesAsked() {
    return wakesAsked.sum();
  }

  /** Wakes that were refused, because the device is unknown or revoked. */
  public long wakesRefused() {
    return wakesRefused.sum();
  }

  /** Connections that ended, also before they were admitted; and failed attempts at one. */
  public long ended(PeerEnd end) {
    return ended[end.ordinal()].sum();
  }

  void countOpened() {
    opened.increment();
  }

  void countWakeAsked() {
    wakesAsked.increment();
  }

  void countWakeRefused() {
    wakesRefused.increment();
  }

  void count(PeerEnd end) {
    ended[end.ordinal()].increment();
  }
}
