package dev.beckon.server.store;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The server's database. */
public final class Database implements AutoCloseable {

  private final Path folder;

  private Database(Path folder) {
    this.folder = folder;
  }

  /**
   * Opens the database of a data folder; makes both if they are missing.
   *
   * @throws StoreException if the folder cannot be used, another server uses it, or the database is
   *     damaged or of a newer version
   */
  public static Database open(Path folder) {
    return new Database(folder);
  }

  /** Runs the work on the one writer thread; completes once its commit is on disk. */
  public <T extends @Nullable Object> CompletableFuture<T> write(SqlWork<T> work) {
    throw new UnsupportedOperationException();
  }

  /** Runs the work on the calling thread against what is committed; it cannot change anything. */
  public <T extends @Nullable Object> T read(SqlWork<T> work) {
    throw new UnsupportedOperationException();
  }

  /** The data folder. */
  public Path folder() {
    return folder;
  }

  @Override
  public void close() {}
}
