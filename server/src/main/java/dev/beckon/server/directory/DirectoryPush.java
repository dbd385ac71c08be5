package dev.beckon.server.directory;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a newer list to the devices: wakes those that are known to be reachable and are not known
 * to have it, one after the other in the order of their IDs, as {@link PushLogic} allows.
 * Thread-safe.
 *
 * <p>What a device holds is kept in the database, written for many devices at once; so a push goes
 * on after a restart, and nobody is woken for what they have.
 */
public final class DirectoryPush {
  private static final Logger log = LoggerFactory.getLogger(DirectoryPush.class);

  /** After a start devices first have to show where they are. */
  private static final long START_PAUSE_NANOS = 60_000_000_000L;

  private static final int PAGE = 500;

  /** Wakes devices for number 65,535; what is outstanding ends when they have the list. */
  public interface Waking {
    /**
     * @param lifeMillis how long the wake may be outstanding
     */
    void wake(DeviceId id, long lifeMillis);

    void served(DeviceId id);
  }

  private final Database database;
  private final Directory directory;
  private final Predicate<DeviceId> reachable;
  private final Waking waking;
  private final LongSupplier nanoClock;
  private final PushLogic logic; // guarded by this
  private final Deque<DeviceId> next = new ArrayDeque<>(); // guarded by this
  private final Map<DeviceId, Long> told = new ConcurrentHashMap<>();
  private final AtomicBoolean working = new AtomicBoolean();
  private final LongAdder woken = new LongAdder();
  private String after = ""; // guarded by this
  private boolean active; // guarded by this
  private long notBeforeNanos; // guarded by this

  /**
   * @param reachable whether a wake would reach the device now; answers from memory
   */
  public DirectoryPush(
      Database database,
      Directory directory,
      Predicate<DeviceId> reachable,
      Waking waking,
      LongSupplier nanoClock) {
    this.database = database;
    this.directory = directory;
    this.reachable = reachable;
    this.waking = waking;
    this.nanoClock = nanoClock;
    this.logic = new PushLogic(nanoClock.getAsLong());
    this.notBeforeNanos = nanoClock.getAsLong() + START_PAUSE_NANOS;
    directory.current().ifPresent(this::begin);
    directory.onNewer(
        list -> {
          begin(list);
          beginNow();
        });
  }

  private synchronized void begin(SignedList list) {
    logic.begin(list.bytes().size());
    after = "";
    next.clear();
    active = true;
  }

  private synchronized void beginNow() {
    notBeforeNanos = nanoClock.getAsLong();
  }

  /** The device holds this version of the list. Returns at once. */
  public void holds(DeviceId id, long version) {
    told.put(id, version);
    if (version >= directory.version()) {
      synchronized (this) {
        logic.ended(id);
      }
      waking.served(id);
    }
  }

  /**
   * Goes on: wakes whom it may, and keeps what devices told. Call a few times a second, on a thread
   * that may wait for the database.
   */
  public void onTime() {
    if (!working.compareAndSet(false, true)) {
      return; // the one before is not done yet
    }
    try {
      keepTold();
      wake();
    } catch (StoreException | CompletionException e) {
      log.warn("the push of the directory waits: {}", e.getMessage());
    } finally {
      working.set(false);
    }
  }

  private void wake() {
    long now = nanoClock.getAsLong();
    int count;
    synchronized (this) {
      count = active && notBeforeNanos - now <= 0 ? logic.mayWake(now) : 0;
    }
    while (count > 0) {
      DeviceId id = nextDevice();
      if (id == null) {
        return;
      }
      if (reachable.test(id) && told.getOrDefault(id, 0L) < directory.version()) {
        synchronized (this) {
          logic.woken(id, now);
        }
        woken.increment();
        waking.wake(id, PushLogic.DEADLINE_NANOS / 1_000_000);
        count--;
      }
    }
  }

  /** The next device that is not known to have the list; null if there is none. */
  private @Nullable DeviceId nextDevice() {
    synchronized (this) {
      if (!next.isEmpty()) {
        return next.poll();
      }
    }
    long version = directory.version();
    String from;
    synchronized (this) {
      from = after;
    }
    List<DeviceId> page =
        database.read(
            sql ->
                sql.list(
                    "SELECT id FROM devices WHERE id > ? AND state = 'ENROLLED' AND"
                        + " directory_version < ? ORDER BY id LIMIT ?",
                    row -> new DeviceId(row.getString(1)),
                    from,
                    version,
                    PAGE));
    synchronized (this) {
      if (!after.equals(from) || version != directory.version()) {
        return null; // another list meanwhile: it begins anew
      }
      if (page.isEmpty()) {
        active = false;
        return null;
      }
      after = page.getLast().value();
      next.addAll(page);
      return next.poll();
    }
  }

  private void keepTold() {
    if (told.isEmpty()) {
      return;
    }
    Map<DeviceId, Long> batch = Map.copyOf(told);
    database
        .write(
            sql -> {
              for (Map.Entry<DeviceId, Long> each : batch.entrySet()) {
                sql.update(
                    "UPDATE devices SET directory_version = ? WHERE id = ? AND"
                        + " directory_version <> ?",
                    each.getValue(),
                    each.getKey().value(),
                    each.getValue());
              }
              return batch.size();
            })
        .join();
    batch.forEach(told::remove); // unless it told another one since
  }

  /** Devices that hold the present list, as far as they told. Counts them in the database. */
  public long upToDate() {
    long version = directory.version();
    return version == 0
        ? 0
        : database
            .read(
                sql ->
                    sql.first(
                        "SELECT count(*) FROM devices WHERE directory_version >= ?",
                        row -> row.getLong(1),
                        version))
            .orElse(0L);
  }

  /** Devices that were woken and did not come yet. */
  public synchronized int outstanding() {
    return logic.outstanding();
  }

  /** Wakes so far. */
  public long woken() {
    return woken.sum();
  }
}
