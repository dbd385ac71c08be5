package dev.beckon.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;

/**
 * How long work waits for its turn, found out by sending something through: the event loops and
 * readers of the sessions, and the writer of the store. Used by one thread.
 *
 * <p>Whatever goes through the writer while others write waits for the disk, however little there
 * is to write. That time shows the disk, not a queue, so the least of the writer's last waits is
 * taken off.
 */
final class QueueTime {

  /** Waits of the writer that its least is of: 4 s of them, at 4 a second. */
  static final int KEPT = 16;

  /**
   * More than this is no disk's time but a queue, also if it was there all the time: a disk whose
   * writes survive a power cut may take some tens of milliseconds.
   */
  static final long SLOWEST_DISK_NANOS = 50_000_000L;

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
  private final Place writer;
  private final LongSupplier nanoClock;
  private final Deque<Long> writerWaits = new ArrayDeque<>();

  /**
   * @param threads each runs a task after all that it was given before
   * @param writer the same, of the store
   */
  QueueTime(List<Executor> threads, Executor writer, LongSupplier nanoClock) {
    threads.forEach(thread -> places.add(new Place(thread)));
    this.writer = new Place(writer);
    this.nanoClock = nanoClock;
  }

  /** The longest of the waits since the last call, and sends something through again. */
  long measure() {
    long longest = 0;
    for (Place place : places) {
      longest = Math.max(longest, waited(place));
    }
    return Math.max(longest, waitedForWriter());
  }

  private long waitedForWriter() {
    long waited = waited(writer);
    long disk = writerWaits.stream().mapToLong(Long::longValue).min().orElse(0);
    writerWaits.addLast(waited);
    if (writerWaits.size() > KEPT) {
      writerWaits.removeFirst();
    }
    return Math.max(0, waited - Math.min(disk, SLOWEST_DISK_NANOS));
  }

  private long waited(Place place) {
    if (place.under) {
      return nanoClock.getAsLong() - place.sentNanos;
    }
    long waited = place.waitedNanos;
    send(place);
    return waited;
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
