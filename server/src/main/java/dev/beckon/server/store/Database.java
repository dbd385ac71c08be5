package dev.beckon.server.store;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The server's database: SQLite in {@code beckon.db} of the data folder.
 *
 * <p>Write-ahead log and {@code synchronous=FULL}: what a completed {@link #write} changed survives
 * a power cut. One thread writes and groups commits; reads run on the calling threads, on a few
 * connections of their own, and never wait for a write. Thread-safe.
 */
public final class Database implements AutoCloseable {

  private static final int READERS = 4;
  private static final int READ_WAIT_SECONDS = 10;
  private static final String TMPDIR = "org.sqlite.tmpdir";

  private final Path folder;
  private final FolderLock lock;
  private final List<Connection> connections;
  private final CommitThread writer;
  private final BlockingQueue<Sql> readers;
  private volatile boolean closed;

  private Database(
      Path folder, FolderLock lock, List<Connection> connections, List<Sql> statements) {
    this.folder = folder;
    this.lock = lock;
    this.connections = connections;
    this.writer = new CommitThread(statements.getFirst());
    this.readers =
        new ArrayBlockingQueue<>(READERS, true, statements.subList(1, statements.size()));
  }

  /**
   * Opens the database of a data folder; makes both if they are missing, and brings the tables of
   * an older version up to date.
   *
   * @throws StoreException if the folder cannot be used, another server uses it, or the database is
   *     damaged or of a newer version
   */
  public static Database open(Path folder) {
    PrivateFiles.createFolder(folder);
    FolderLock lock = FolderLock.acquire(folder);
    List<Connection> connections = new ArrayList<>();
    try {
      SQLiteDataSource source = source(folder);
      migrate(source, folder);
      List<Sql> statements = new ArrayList<>();
      for (int i = 0; i <= READERS; i++) {
        Connection connection = source.getConnection();
        connections.add(connection);
        statements.add(new Sql(connection));
      }
      for (Sql reader : statements.subList(1, statements.size())) {
        reader.execute("PRAGMA query_only = ON");
      }
      Database database = new Database(folder, lock, connections, statements);
      database.writer.start();
      return database;
    } catch (SQLException e) {
      close(connections, lock);
      throw unusable(folder, e);
    } catch (RuntimeException | Error e) {
      close(connections, lock);
      throw e;
    }
  }

  private static SQLiteDataSource source(Path folder) {
    if (System.getProperty(TMPDIR) == null) {
      // The driver unpacks its native library and loads it from there. /tmp is often mounted
      // noexec, and what others can write to is no place to load code from.
      Path natives = folder.resolve("native");
      PrivateFiles.createFolder(natives);
      System.setProperty(TMPDIR, natives.toString());
    }
    Path file = folder.resolve("beckon.db");
    if (!Files.exists(file)) {
      // SQLite gives its log the database's mode, so this makes all of them private.
      PrivateFiles.write(file, new byte[0]);
    }
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setBusyTimeout(CommitThread.BUSY_MILLIS);
    // What is deleted, secrets above all, must not stay readable in the file.
    config.setPragma(SQLiteConfig.Pragma.SECURE_DELETE, "true");
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + file);
    return source;
  }

  private static void migrate(SQLiteDataSource source, Path folder) {
    try {
      Flyway.configure(Database.class.getClassLoader())
          .dataSource(source)
          .locations("classpath:dev/beckon/server/store")
          // By default tables of a newer version are taken for ours.
          .ignoreMigrationPatterns("")
          .load()
          .migrate();
    } catch (FlywayValidateException e) {
      throw new StoreException(
          "data: "
              + folder
              + " (its tables are not of this version of Beckon; use the version that wrote it, or"
              + " a newer one; nothing was changed)",
          e);
    } catch (FlywayException e) {
      throw unusable(folder, e);
    }
  }

  private static StoreException unusable(Path folder, Exception failure) {
    Path file = folder.resolve("beckon.db");
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLiteException sqlite) {
        SQLiteErrorCode code = sqlite.getResultCode();
        if (code == SQLiteErrorCode.SQLITE_NOTADB || code == SQLiteErrorCode.SQLITE_CORRUPT) {
          return PrivateFiles.damaged(file, "SQLite says " + code, failure);
        }
      }
    }
    return new StoreException(
        file + ": cannot be opened: " + failure.getMessage() + " (check the disk and the file)",
        failure);
  }

  /**
   * Runs the work on the writer thread. Completes once its commit is on disk; fails, with nothing
   * changed, with what the work threw or with a {@link StoreException} if the disk refused.
   *
   * <p>Futures complete one after the other, in the order of the commits, on one thread: what is
   * chained to them returns quickly and does not wait for another write.
   */
  public <T extends @Nullable Object> CompletableFuture<T> write(SqlWork<T> work) {
    return write(work, ignored -> {});
  }

  /**
   * As {@link #write(SqlWork)}, and tells {@code afterCommit} the result before the future
   * completes: always on the thread of the callbacks, so what is told there is told in the order of
   * the commits. (What is chained to a future that is already complete runs on the chaining
   * thread.)
   */
  public <T extends @Nullable Object> CompletableFuture<T> write(
      SqlWork<T> work, Consumer<? super T> afterCommit) {
    return writer.submit(work, afterCommit);
  }

  /**
   * Runs the work on the calling thread against what is committed; it cannot change anything.
   *
   * @throws StoreException if the disk refused, or no connection was free for 10 seconds
   */
  public <T extends @Nullable Object> T read(SqlWork<T> work) {
    Sql sql = reader();
    try {
      // One transaction, so that several statements see the same moment.
      sql.execute("BEGIN");
      try {
        return work.run(sql);
      } finally {
        sql.execute("ROLLBACK");
      }
    } catch (SQLException e) {
      throw new StoreException("store: not read: " + e.getMessage() + " (check the disk)", e);
    } finally {
      readers.add(sql);
    }
  }

  private Sql reader() {
    if (closed) {
      throw new StoreException("store: closed (the server is stopping)");
    }
    try {
      Sql sql = readers.poll(READ_WAIT_SECONDS, TimeUnit.SECONDS);
      if (sql == null) {
        throw new StoreException(
            "store: not read: no connection was free for " + READ_WAIT_SECONDS + "s (try again)");
      }
      return sql;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("store: not read: interrupted (the server is stopping)", e);
    }
  }

  /**
   * Empties the write-ahead log, in which what was deleted stands until then. Completes with
   * whether it is empty; a reader or the disk can be in the way.
   */
  public CompletableFuture<Boolean> emptyLog() {
    return writer.emptyLog();
  }

  /** The data folder. */
  public Path folder() {
    return folder;
  }

  /**
   * False while the disk takes no writes: from the first that it refused until {@link #probe}
   * succeeds.
   */
  public boolean isWritable() {
    return writer.isWritable();
  }

  /** Tries whether the disk takes writes again, if it did not. Returns at once. */
  public void probe() {
    if (!writer.isWritable()) {
      writer.probe();
    }
  }

  /** How often the disk refused a write. */
  public long failures() {
    return writer.failures();
  }

  /** Commits so far; {@link #writes()} per commit is what grouping gains. */
  public long commits() {
    return writer.commits();
  }

  /** Writes that were committed so far. */
  public long writes() {
    return writer.writes();
  }

  /** Commits what was submitted and waits for reads under way, then closes. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    writer.close();
    for (int i = 0; i < READERS; i++) {
      try {
        readers.poll(READ_WAIT_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    close(connections, lock);
  }

  private static void close(List<Connection> connections, FolderLock lock) {
    // Newest first: the writer's is the oldest, and the last one to close empties the log.
    for (Connection connection : connections.reversed()) {
      try {
        connection.close();
      } catch (SQLException e) {
        // Nothing is lost: the log is read at the next start.
      }
    }
    lock.close();
  }
}
