package dev.beckon.server.command;

import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The bodies of commands and results, one file each in {@code bodies} of the data folder.
 *
 * <p>A file is on disk before the row that names it is, and never changes. One without a row is
 * what a crash left between the two: it goes at the next start. Thread-safe.
 */
final class Bodies implements AutoCloseable {

  private static final int THREADS = 2;

  /** Each waiting body can take 16 MiB of memory. */
  private static final int MAX_WAITING = 32;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path folder;
  private final ThreadPoolExecutor writers;

  Bodies(Path dataFolder) {
    folder = dataFolder.resolve("bodies");
    PrivateFiles.createFolder(folder);
    writers =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform().daemon().name("beckon-bodies-", 0).factory());
    writers.allowCoreThreadTimeOut(true);
  }

  /** Runs slow work on a body's way to the disk off the calling thread. */
  <T> CompletableFuture<T> offThread(Supplier<T> work) {
    try {
      return CompletableFuture.supplyAsync(work, writers);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(
          new StoreException(
              "store: " + MAX_WAITING + " bodies waiting (expected fewer; try again)", e));
    }
  }

  /**
   * Writes a body off the calling thread, then uses it; deletes it again unless that went well.
   *
   * @param also work on the same thread, such as hashing the body
   * @param use gets the file's name and what {@code also} made
   * @param keeps whether the outcome means that the body is needed
   */
  <H, T> CompletableFuture<T> using(
      byte[] body,
      Supplier<H> also,
      BiFunction<String, H, CompletableFuture<T>> use,
      Predicate<T> keeps) {
    return offThread(() -> Map.entry(write(body), also.get()))
        .thenCompose(
            written ->
                use.apply(written.getKey(), written.getValue())
                    .whenComplete(
                        (outcome, failure) -> {
                          if (failure != null || !keeps.test(outcome)) {
                            delete(written.getKey());
                          }
                        }));
  }

  /** Writes a body and returns the file's name; on return it is on disk. */
  String write(byte[] body) {
    byte[] random = new byte[16];
    RANDOM.nextBytes(random);
    String name = HexFormat.of().formatHex(random);
    PrivateFiles.write(folder.resolve(name), body);
    return name;
  }

  /** Empty if the file is gone. */
  Optional<InputStream> open(String name) {
    try {
      return Optional.of(Files.newInputStream(folder.resolve(name)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new StoreException(
          folder.resolve(name) + ": cannot be read: " + e.getMessage() + " (check the disk)", e);
    }
  }

  void delete(String name) {
    try {
      Files.deleteIfExists(folder.resolve(name));
    } catch (IOException e) {
      // The next start tries again.
    }
  }

  /** Deletes every file that no row names. */
  void deleteAllBut(Set<String> named) {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.toList();
    } catch (IOException e) {
      throw new StoreException(
          folder + ": cannot be read: " + e.getMessage() + " (check the disk)", e);
    }
    for (Path file : files) {
      String name = String.valueOf(file.getFileName());
      if (!named.contains(name)) {
        delete(name);
      }
    }
  }

  @Override
  public void close() {
    writers.shutdown();
    try {
      if (!writers.awaitTermination(10, TimeUnit.SECONDS)) {
        writers.shutdownNow();
      }
    } catch (InterruptedException e) {
      writers.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
