package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.Malformation;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts what became of datagrams. What is dropped is dropped in silence; these numbers are all
 * that tells of it. Thread-safe.
 */
public final class DatagramCounters {
  /** What became of a well-formed datagram. */
  enum Event {
    ACCEPTED,
    REPEATED,
    STALE,
    UNPROVEN,
    WAKE_ANSWER,
    PUBLIC_STUN_ANSWERED,
    /** A plain Binding request while public STUN is off, or above its cap. */
    PUBLIC_STUN_DROPPED,
    UNKNOWN_KEY,
    NOT_AUTHENTIC,
    /** The device is on the deny-list. */
    DENIED,
    /** A message that only servers send. */
    WRONG_DIRECTION
  }

  private final Map<Event, LongAdder> events = new EnumMap<>(Event.class);
  private final Map<Malformation, LongAdder> malformations = new EnumMap<>(Malformation.class);

  public DatagramCounters() {
    for (Event event : Event.values()) {
      events.put(event, new LongAdder());
    }
    for (Malformation malformation : Malformation.values()) {
      malformations.put(malformation, new LongAdder());
    }
  }

  @SuppressWarnings("NullAway") // every key was put by the constructor
  void count(Event event) {
    events.get(event).increment();
  }

  @SuppressWarnings("NullAway") // every key was put by the constructor
  void count(Malformation malformation) {
    malformations.get(malformation).increment();
  }

  /** All counts, by names such as {@code accepted} and {@code malformed-too-short}. */
  public Map<String, Long> snapshot() {
    Map<String, Long> snapshot = new LinkedHashMap<>();
    events.forEach((event, count) -> snapshot.put(name(event), count.sum()));
    malformations.forEach(
        (reason, count) -> snapshot.put("malformed-" + name(reason), count.sum()));
    return snapshot;
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
