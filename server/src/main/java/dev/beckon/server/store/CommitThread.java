package dev.beckon.server.store;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteException;

/**
 * The one thread that changes the database, and the one behind it that tells who asked.
 *
 * <p>What is waiting when a commit ends shares the next one: a lone write costs one fsync and waits
 * for nobody, and under load many writes share it, for which a commit then waits a moment. Each
 * write has its own savepoint, so one that fails does not take its neighbours along. Futures
 * complete on the second thread, in the order of the commits, while the next commit is under way.
 */
final class CommitThread implements AutoCloseable {

  /** Most writes in one commit. More would gain little and make the first ones wait. */
  static final int MAX_GROUP = 512;

  /** Most writes not yet reported back. A disk that stands still must not fill the memory. */
  static final int MAX_OUTSTANDING = 16_384;

  /** How long a statement waits for another connection's lock. */
  static final int BUSY_MILLIS = 10_000;

  /** How long emptying the log waits for readers. */
  private static final int LOG_READERS_MILLIS = 50;

  /**
   * So many writes in one commit say that more are on their way. A session by itself makes fewer.
   */
  static final int BUSY_GROUP = 6;

  /**
   * How long a commit behind a busy one waits for company. A commit costs as much as a dozen
   * writes, and as many wake-ups of those who wait for it; under load everybody waits longer than
   * this for the processor.
   */
  private static final long GATHER_NANOS = 1_500_000;

  private static final int PROBE_BYTES = 16 * 1024;
  private static final long CLOSE_SECONDS = 30;

  private final Sql sql;
  private final LinkedBlockingQueue<Job> queue = new LinkedBlockingQueue<>();
  private final AtomicInteger outstanding = new AtomicInteger();
  private final ExecutorService callbacks;
  private final Thread thread;
  private boolean closed; // guarded by queue
  private volatile boolean writable = true;
  private final LongAdder failures = new LongAdder();
  private final LongAdder commits = new LongAdder();
  private final LongAdder writes = new LongAdder();

  CommitThread(Sql sql) {
    this.sql = sql;
    this.callbacks =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("beckon-store-callbacks").factory());
    this.thread = Thread.ofPlatform().daemon().name("beckon-store-writer").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  long commits() {
    return commits.sum();
  }

  long writes() {
    return writes.sum();
  }

  <T extends @Nullable Object> CompletableFuture<T> submit(
      SqlWork<T> work, Consumer<? super T> afterCommit) {
    CompletableFuture<T> future = new CompletableFuture<>();
    if (outstanding.incrementAndGet() > MAX_OUTSTANDING) {
      outstanding.decrementAndGet();
      future.completeExceptionally(
          new StoreException(
              "store: "
                  + MAX_OUTSTANDING
                  + " writes waiting (expected fewer; the disk does not keep up, try again)"));
      return future;
    }
    synchronized (queue) {
      if (closed) {
        outstanding.decrementAndGet();
        future.completeExceptionally(new StoreException("store: closed (the server is stopping)"));
      } else {
        queue.add(new Work<>(work, afterCommit, future));
      }
    }
    return future;
  }

  private void run() {
    boolean stop = false;
    boolean busy = false;
    while (!stop) {
      List<Job> group = new ArrayList<>();
      try {
        group.add(queue.take());
      } catch (InterruptedException e) {
        continue; // Nobody else has this thread: it ends by Stop.
      }
      if (busy) {
        LockSupport.parkNanos(GATHER_NANOS);
      }
      queue.drainTo(group, MAX_GROUP - 1);
      busy = group.size() >= BUSY_GROUP;
      stop = group.removeIf(job -> job instanceof Stop);
      List<EmptyLog> emptyings = emptyings(group);
      if (!group.isEmpty()) {
        commit(group);
        callbacks.execute(() -> report(group));
      }
      if (!emptyings.isEmpty()) {
        boolean empty = truncateLog();
        callbacks.execute(() -> emptyings.forEach(each -> each.future().complete(empty)));
      }
    }
  }

  private static List<EmptyLog> emptyings(List<Job> group) {
    List<EmptyLog> emptyings = new ArrayList<>();
    for (Job job : group) {
      if (job instanceof EmptyLog emptying) {
        emptyings.add(emptying);
      }
    }
    group.removeAll(emptyings);
    return emptyings;
  }

  /**
   * Empties the write-ahead log behind everything that was submitted before. Completes with whether
   * it is empty: a reader that still reads from it, or the disk, can be in the way.
   */
  CompletableFuture<Boolean> emptyLog() {
    CompletableFuture<Boolean> future = new CompletableFuture<>();
    synchronized (queue) {
      if (closed) {
        future.complete(false);
      } else {
        queue.add(new EmptyLog(future));
      }
    }
    return future;
  }

  private boolean truncateLog() {
    try {
      // Waits for readers, and writers wait for it meanwhile: not for long.
      sql.first("PRAGMA busy_timeout = " + LOG_READERS_MILLIS, row -> row.getInt(1));
      try {
        return sql.first("PRAGMA wal_checkpoint(TRUNCATE)", row -> row.getInt("busy") == 0)
            .orElse(false);
      } finally {
        sql.first("PRAGMA busy_timeout = " + BUSY_MILLIS, row -> row.getInt(1));
      }
    } catch (SQLException e) {
      return false; // tried again by whoever wants it
    }
  }

  /** False from the first write that the disk refused until {@link #probe} succeeds. */
  boolean isWritable() {
    return writable;
  }

  /** Commits, or single writes in them, that the disk refused. */
  long failures() {
    return failures.sum();
  }

  /** Writes something, to see whether the disk takes it. */
  void probe() {
    byte[] some = new byte[PROBE_BYTES];
    some[0] = (byte) failures.sum();
    submit(
        sql -> {
          sql.update("INSERT OR REPLACE INTO settings (name, value) VALUES ('probe', ?)", some);
          // Gone again with the next one, but this one's bytes had to be written.
          return sql.update("DELETE FROM settings WHERE name = 'probe'");
        },
        deleted -> writable = true);
  }

  private void refused() {
    writable = false;
    failures.increment();
  }

  private static boolean isOfTheDisk(Throwable failure) {
    if (!(failure instanceof SQLiteException sqlite)) {
      return false;
    }
    String code = sqlite.getResultCode().name();
    return code.startsWith("SQLITE_FULL")
        || code.startsWith("SQLITE_IOERR")
        || code.startsWith("SQLITE_READONLY")
        || code.startsWith("SQLITE_CANTOPEN");
  }

  private void commit(List<Job> group) {
    try {
      sql.execute("BEGIN IMMEDIATE");
      for (Job job : group) {
        job.run(sql);
      }
      sql.execute("COMMIT");
      commits.increment();
      writes.add(group.size());
      if (group.stream().anyMatch(Job::wasRefused)) {
        refused();
      }
    } catch (SQLException | RuntimeException | Error e) {
      // The disk, not the work: whatever was in this commit is undone, and the thread lives on.
      rollBack(e);
      refused();
      StoreException failure =
          new StoreException(
              "store: not written: " + e.getMessage() + " (free some space or check the disk)", e);
      group.forEach(job -> job.fail(failure));
    }
  }

  private void rollBack(Throwable cause) {
    try {
      sql.execute("ROLLBACK");
    } catch (SQLException e) {
      // SQLite already rolled back by itself, which it does when the disk is full.
      cause.addSuppressed(e);
    }
  }

  private void report(List<Job> group) {
    for (Job job : group) {
      outstanding.decrementAndGet();
      job.report();
    }
  }

  /** Commits what was submitted before, reports it, and stops. */
  @Override
  public void close() {
    synchronized (queue) {
      if (closed) {
        return;
      }
      closed = true;
      queue.add(new Stop());
    }
    try {
      thread.join(TimeUnit.SECONDS.toMillis(CLOSE_SECONDS));
      callbacks.shutdown();
      if (!callbacks.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        callbacks.shutdownNow();
      }
    } catch (InterruptedException e) {
      callbacks.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  private sealed interface Job {
    /** Runs the work; throws only if the transaction as a whole is lost. */
    void run(Sql sql) throws SQLException;

    void fail(Throwable failure);

    void report();

    /** Whether the disk refused it. */
    default boolean wasRefused() {
      return false;
    }
  }

  /** Runs between commits, not in one. */
  private record EmptyLog(CompletableFuture<Boolean> future) implements Job {
    @Override
    public void run(Sql sql) {}

    @Override
    public void fail(Throwable failure) {}

    @Override
    public void report() {}
  }

  private record Stop() implements Job {
    @Override
    public void run(Sql sql) {}

    @Override
    public void fail(Throwable failure) {}

    @Override
    public void report() {}
  }

  private static final class Work<T extends @Nullable Object> implements Job {
    private final SqlWork<T> work;
    private final Consumer<? super T> afterCommit;
    private final CompletableFuture<T> future;
    private Runnable outcome = () -> {};
    private boolean refused;

    Work(SqlWork<T> work, Consumer<? super T> afterCommit, CompletableFuture<T> future) {
      this.work = work;
      this.afterCommit = afterCommit;
      this.future = future;
    }

    @Override
    public void run(Sql sql) throws SQLException {
      sql.execute("SAVEPOINT work");
      try {
        T result = work.run(sql);
        outcome = () -> succeed(result);
      } catch (SQLException | RuntimeException | Error e) {
        refused = isOfTheDisk(e);
        fail(e);
        rollBack(sql, e);
      }
      sql.execute("RELEASE work");
    }

    private void succeed(T result) {
      try {
        afterCommit.accept(result);
        future.complete(result);
      } catch (RuntimeException | Error e) {
        // A bug of the caller; the others' callbacks go on.
        future.completeExceptionally(e);
      }
    }

    private static void rollBack(Sql sql, Throwable cause) throws SQLException {
      try {
        sql.execute("ROLLBACK TO work");
      } catch (SQLException e) {
        // The disk was full, say, and SQLite gave up the transaction: the cause says why.
        if (cause instanceof SQLException first) {
          first.addSuppressed(e);
          throw first;
        }
        throw e;
      }
    }

    @Override
    public void fail(Throwable failure) {
      outcome = () -> future.completeExceptionally(failure);
    }

    @Override
    public void report() {
      outcome.run();
    }

    @Override
    public boolean wasRefused() {
      return refused;
    }
  }
}
