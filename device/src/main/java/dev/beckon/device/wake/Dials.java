package dev.beckon.device.wake;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When the device dials which server: one {@link DialLogic} per server, and one limit for all of
 * them. A limited dial is delayed, never dropped; who has waited longest is first.
 *
 * <p>Knows no clock, socket or thread. Not thread-safe.
 */
public final class Dials {
  /**
   * Dial now.
   *
   * @param server its number
   * @param wakeId the newest wake that wants it; 0 if none does
   * @param pull whether the directory is wanted
   * @param pullWakeId the wake that says so; 0 if none does
   */
  public record Dial(int server, long wakeId, boolean pull, long pullWakeId) {}

  private final DoubleSupplier random;
  private final DialLimit limit;
  private final Map<Integer, DialLogic> logics = new LinkedHashMap<>();

  /**
   * @param random uniform in [0, 1), for dial-back delays
   */
  public Dials(DoubleSupplier random, long nowNanos) {
    this.random = random;
    this.limit = new DialLimit(nowNanos);
  }

  /** The rules for the server with that number. */
  public DialLogic of(int server) {
    return logics.computeIfAbsent(server, number -> new DialLogic(random));
  }

  /**
   * The dial that is due, if one is; there may be more. The caller reports to {@link #of} how it
   * went.
   */
  public @Nullable Dial onTime(long nowNanos) {
    int number = -1;
    DialLogic first = null;
    Long firstNanos = null;
    for (Map.Entry<Integer, DialLogic> entry : logics.entrySet()) {
      DialLogic logic = entry.getValue();
      Long planned = logic.isDue(nowNanos) ? logic.plannedNanos() : null;
      if (planned != null && (firstNanos == null || planned - firstNanos < 0)) {
        number = entry.getKey();
        first = logic;
        firstNanos = planned;
      }
    }
    logics.values().removeIf(DialLogic::isForgettable);
    return first != null && limit.take(nowNanos) ? first.dial(number) : null;
  }

  /** When {@link #onTime} has something to do next; {@code null} if nothing is planned. */
  public @Nullable Long nextNanos() {
    Long next = null;
    for (DialLogic logic : logics.values()) {
      Long planned = logic.plannedNanos();
      if (planned != null && (next == null || planned - next < 0)) {
        next = planned;
      }
    }
    long free = limit.freeNanos();
    return next != null && free - next > 0 ? (Long) free : next;
  }
}
