package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Commands;
import dev.beckon.server.store.StoreException;
import java.time.Instant;
import java.util.Optional;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Whom a portion of wakes for group commands goes to. Of four turns two are the oldest group's, so
 * that it is over in a time that its deadline can count on ({@code
 * Groups.OLDEST_SLOWEST_PER_SECOND}), whatever is accepted later; one is any group's, so that a
 * small one does not wait behind it; and one is for a device that is back. A turn that its owner
 * has no use for is another's.
 *
 * <p>Knows no clock, store or socket. Not thread-safe.
 */
final class WakingLogic {

  /**
   * Turns in one portion: a device that is away, or has nothing waiting, costs no session, but some
   * time.
   */
  static final int MAX_LOOKED_AT = 2_000;

  private static final int ROUND = 4;

  /** What can be done with a device. */
  interface Devices {

    /**
     * What waits for a device that is back.
     *
     * @throws StoreException if that cannot be found out now
     */
    Optional<Commands.Waiting> waiting(DeviceId id);

    /** Something waits for it that does not wait for turns. */
    void wakeAtOnce(DeviceId id, Instant deadline);

    /** Its next keepalive is to be told again. */
    void tellReturn(DeviceId id);

    /** Wakes it. Returns false if that costs no session: it is away, say. */
    boolean wake(TurnsLogic.Turn turn);
  }

  /**
   * What became of a portion.
   *
   * @param count devices that were woken
   * @param more whether there would have been more to wake than were allowed
   * @param failure if what waits for devices that are back could not be found out
   */
  record Portion(int count, boolean more, @Nullable StoreException failure) {}

  private final TurnsLogic turns;
  private final Queue<DeviceId> returned;
  private final Devices devices;
  private int round;

  /**
   * @param returned devices that are back; others may add to it
   */
  WakingLogic(TurnsLogic turns, Queue<DeviceId> returned, Devices devices) {
    this.turns = turns;
    this.returned = returned;
    this.devices = devices;
  }

  /**
   * Wakes some.
   *
   * @param most how many; none if it is below 1
   */
  Portion wake(int most) {
    int count = 0;
    StoreException failure = null;
    for (int lookedAt = 0; count < most && lookedAt < MAX_LOOKED_AT; lookedAt++) {
      round = (round + 1) % ROUND;
      TurnsLogic.Turn turn =
          switch (round) {
            case 0, 2 -> turns.oldest();
            case 1 -> turns.next();
            default -> null; // of those who are back, if there are any
          };
      if (turn == null && failure == null) {
        DeviceId id = returned.poll();
        if (id != null) {
          try {
            turn = waiting(id);
          } catch (StoreException e) {
            // The groups' turns come from memory, so they go on.
            devices.tellReturn(id);
            failure = e;
          }
          if (turn == null) {
            continue;
          }
        }
      }
      if (turn == null) {
        turn = turns.next();
      }
      if (turn == null) {
        return new Portion(count, false, failure);
      }
      count += devices.wake(turn) ? 1 : 0;
    }
    return new Portion(count, most > 0 && count == most, failure);
  }

  /** What waits for a device that is back; null if nothing does, or not for its turn. */
  private TurnsLogic.@Nullable Turn waiting(DeviceId id) {
    Commands.Waiting waiting = devices.waiting(id).orElse(null);
    if (waiting == null) {
      return null;
    }
    if (waiting.single()) {
      devices.wakeAtOnce(id, waiting.deadline());
      return null;
    }
    return new TurnsLogic.Turn("", id, waiting.deadline());
  }
}
