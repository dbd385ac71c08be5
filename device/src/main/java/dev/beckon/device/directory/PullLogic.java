package dev.beckon.device.directory;

import dev.beckon.protocol.datagram.Wake;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * When the device pulls the directory, and what a wake to a server makes of it.
 *
 * <p>It pulls when it starts and the server holds a newer list, when a wake names a server that is
 * not in its list, when a wake says so, and at a random moment within 6 h of an answer that shows a
 * newer list: so a fleet does not dial at once. It pulls from the directory server if its list
 * names one, else (or if that fails) from the rendezvous server.
 *
 * <p>Knows no clock, socket or thread. Not thread-safe; owned by the thread that decides to dial.
 */
public final class PullLogic {
  /** What is to be done. */
  public sealed interface Effect {
    /** Dial the server, or tell the session with it of the wake. */
    record Dial(int server, long wakeId, long deadlineNanos, long dialBackDelayMillis)
        implements Effect {}

    /**
     * Get the directory from the server, in the open session with it or in a new one.
     *
     * @param wakeId the wake that says so; 0 if none did
     */
    record Pull(int server, long wakeId, long deadlineNanos, long dialBackDelayMillis)
        implements Effect {}

    /**
     * Tell the rendezvous server that no list names the server of this wake.
     *
     * @param directoryVersion of the list that it was looked for in
     */
    record Unknown(int server, long wakeId, long deadlineNanos, long directoryVersion)
        implements Effect {}
  }

  /** A newer list is pulled within this time of hearing of it. */
  static final long SPREAD_NANOS = Duration.ofHours(6).toNanos();

  /** A pull that no wake wants is given up after this time; the next answer plans another. */
  private static final long PULL_LIFE_NANOS = Duration.ofMinutes(5).toNanos();

  /** Servers to be looked up at one time; there is one wake per server outstanding. */
  private static final int MAX_WAITING = 256;

  private record Waiting(long wakeId, long deadlineNanos) {}

  private final Supplier<Directory> held;
  private final DoubleSupplier random;
  private final Map<Integer, Waiting> waiting = new LinkedHashMap<>();
  private long answeredVersion;
  private boolean answeredBefore;
  private @Nullable Long plannedNanos;
  private boolean askingDirectoryServer;
  private boolean refused; // by the directory server: it is dialled for its own wakes only

  /**
   * @param held the list that the device has
   * @param random uniform in [0, 1)
   */
  public PullLogic(Supplier<Directory> held, DoubleSupplier random) {
    this.held = held;
    this.random = random;
  }

  /** A wake was accepted; it may name any server. */
  public List<Effect> onWake(
      int server, long wakeId, long deadlineNanos, long dialBackDelayMillis) {
    if (server == Wake.DIRECTORY_SERVER) {
      return List.of(pull(wakeId, deadlineNanos, dialBackDelayMillis));
    }
    if (isKnown(server)) {
      return List.of(new Effect.Dial(server, wakeId, deadlineNanos, dialBackDelayMillis));
    }
    waiting.put(server, new Waiting(wakeId, deadlineNanos));
    if (waiting.size() > MAX_WAITING) {
      waiting.remove(waiting.keySet().iterator().next());
    }
    return List.of(pull(0, deadlineNanos, dialBackDelayMillis));
  }

  /** An authentic answer showed which version the server holds. */
  public List<Effect> onAnswered(long version, long nowNanos) {
    boolean first = !answeredBefore;
    answeredBefore = true;
    answeredVersion = version;
    if (version <= held.get().version()) {
      plannedNanos = null;
      return List.of();
    }
    if (first) {
      return List.of(pull(0, nowNanos + PULL_LIFE_NANOS, 0));
    }
    if (plannedNanos == null) {
      plannedNanos = nowNanos + (long) (SPREAD_NANOS * random.getAsDouble());
    }
    return List.of();
  }

  /** Does what is due. */
  public List<Effect> onTime(long nowNanos) {
    Long planned = plannedNanos;
    if (planned == null || planned - nowNanos > 0) {
      return List.of();
    }
    plannedNanos = null;
    return answeredVersion > held.get().version()
        ? List.of(pull(0, nowNanos + PULL_LIFE_NANOS, 0))
        : List.of();
  }

  /** When {@link #onTime} has something to do next; {@code null} if nothing is planned. */
  public @Nullable Long nextNanos() {
    return plannedNanos;
  }

  /** The device has another list, wherever it came from. */
  public List<Effect> onDirectory(long nowNanos) {
    List<Effect> effects = new ArrayList<>();
    if (answeredVersion <= held.get().version()) {
      plannedNanos = null;
    }
    for (Iterator<Map.Entry<Integer, Waiting>> all = waiting.entrySet().iterator();
        all.hasNext(); ) {
      Map.Entry<Integer, Waiting> entry = all.next();
      Waiting wake = entry.getValue();
      if (isKnown(entry.getKey())) {
        all.remove();
        if (wake.deadlineNanos() - nowNanos > 0) {
          effects.add(new Effect.Dial(entry.getKey(), wake.wakeId(), wake.deadlineNanos(), 0));
        }
      }
    }
    return effects;
  }

  /**
   * The server said all that it has to say: it has nothing newer, or what it sent was judged. What
   * waits for a server that is still unknown waits no longer.
   */
  public List<Effect> onPulled(int server, long nowNanos) {
    List<Effect> effects = new ArrayList<>(onDirectory(nowNanos));
    if (server == Wake.DIRECTORY_SERVER) {
      askingDirectoryServer = false;
      refused = false;
      if (answeredVersion > held.get().version()) {
        effects.add(pullElsewhere(nowNanos)); // it holds back what others have
        return effects;
      }
    }
    waiting.forEach(
        (number, wake) -> {
          if (wake.deadlineNanos() - nowNanos > 0) {
            effects.add(
                new Effect.Unknown(
                    number, wake.wakeId(), wake.deadlineNanos(), held.get().version()));
          }
        });
    waiting.clear();
    return effects;
  }

  /** A dial failed. If it was to pull from the directory server, another server may have it. */
  public List<Effect> onDialFailed(int server, long nowNanos) {
    if (server != Wake.DIRECTORY_SERVER || !askingDirectoryServer) {
      return List.of();
    }
    askingDirectoryServer = false;
    return List.of(pullElsewhere(nowNanos));
  }

  /** The server will not have this device. */
  public List<Effect> onRefused(int server, long nowNanos) {
    refused |= server == Wake.DIRECTORY_SERVER;
    return onDialFailed(server, nowNanos);
  }

  private Effect pullElsewhere(long nowNanos) {
    long deadline = nowNanos + PULL_LIFE_NANOS;
    for (Waiting wake : waiting.values()) {
      deadline = wake.deadlineNanos() - deadline > 0 ? wake.deadlineNanos() : deadline;
    }
    return new Effect.Pull(Wake.RENDEZVOUS_SERVER, 0, deadline, 0);
  }

  private Effect pull(long wakeId, long deadlineNanos, long dialBackDelayMillis) {
    askingDirectoryServer = held.get().names(Wake.DIRECTORY_SERVER) && (!refused || wakeId != 0);
    int server = askingDirectoryServer ? Wake.DIRECTORY_SERVER : Wake.RENDEZVOUS_SERVER;
    return new Effect.Pull(server, wakeId, deadlineNanos, dialBackDelayMillis);
  }

  private boolean isKnown(int server) {
    return server == Wake.RENDEZVOUS_SERVER || held.get().names(server);
  }
}
