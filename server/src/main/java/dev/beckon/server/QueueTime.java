package dev.beckon.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;

/**
 * How long work waits for its turn, found out by sending something through: the event loops and
 * readers of the sessions, and the writer of the store. Used by one thread.
 */
final class QueueTime {

  /** One place where work waits. */
  private static final class Place {
    final Executor thread;
    volatile long sentNanos;
    volatile long waitedNanos;
    volatile boolean under;

    Place(Executor thread) {
      this.thread = thread;
    }
  }

  private final List<Place> places = new ArrayList<>();
  private final LongSupplier nanoClock;

  /**
   * @param threads each runs a task after all that it was given before
   */
  QueueTime(List<Executor> threads, LongSupplier nanoClock) {
    threads.forEach(thread -> places.add(new Place(thread)));
    this.nanoClock = nanoClock;
  }

  /** The longest of the waits since the last call, and sends something through again. */
  long measure() {
    long longest = 0;
    for (Place place : places) {
      if (place.under) {
        longest = Math.max(longest, nanoClock.getAsLong() - place.sentNanos);
      } else {
        longest = Math.max(longest, place.waitedNanos);
        send(place);
      }
    }
    return longest;
  }

  private void send(Place place) {
    place.sentNanos = nanoClock.getAsLong();
    place.under = true;
    try {
      place.thread.execute(
          () -> {
            place.waitedNanos = nanoClock.getAsLong() - place.sentNanos;
            place.under = false;
          });
    } catch (RejectedExecutionException stopping) {
      place.under = false;
    }
  }
}
