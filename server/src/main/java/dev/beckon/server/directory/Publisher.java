package dev.beckon.server.directory;

import dev.beckon.protocol.session.DirectoryEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the signed list what the operator wants: after each change of the application servers it
 * has the new contents signed. On the rendezvous server. Thread-safe.
 */
public final class Publisher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Publisher.class);

  private final ApplicationServers servers;
  private final Directory directory;
  private final ListSigner signer;

  /** One after the other: else older contents might be signed behind newer ones. */
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("publisher").factory());

  /** Published by a task that did not begin yet, if there is one. */
  private @Nullable CompletableFuture<?> toCome; // guarded by this

  public Publisher(ApplicationServers servers, Directory directory, ListSigner signer) {
    this.servers = servers;
    this.directory = directory;
    this.signer = signer;
    servers.addListener(
        new ApplicationServers.Listener() {
          @Override
          public void onChanged() {
            publish();
          }
        });
  }

  /**
   * Has the present contents signed, unless they are already. Completes when {@link Directory}
   * holds them; at once while no server was ever added.
   */
  public synchronized CompletableFuture<?> publish() {
    CompletableFuture<?> already = toCome;
    if (already != null) {
      return already; // it reads the contents later than now
    }
    try {
      CompletableFuture<?> published =
          CompletableFuture.supplyAsync(this::sign, thread)
              .thenCompose(signing -> signing)
              .whenComplete((list, failure) -> signed(failure));
      toCome = published;
      return published;
    } catch (RejectedExecutionException stopping) {
      // The change is durable: the next start has it signed.
      return CompletableFuture.failedFuture(stopping);
    }
  }

  private CompletableFuture<?> sign() {
    synchronized (this) {
      toCome = null;
    }
    List<DirectoryEntry> contents = contents();
    return contents.isEmpty() && directory.version() == 0
        ? CompletableFuture.completedFuture(List.of())
        : signer.sign(contents);
  }

  private void signed(@Nullable Throwable failure) {
    if (failure != null && !thread.isShutdown()) {
      log.error("the directory was not signed; the next change tries again", failure);
    }
  }

  /** What the list shall say. */
  List<DirectoryEntry> contents() {
    return servers.list().stream()
        .map(
            server ->
                DirectoryEntry.newBuilder()
                    .setNumber(server.number())
                    .setName(server.name())
                    .setAddress(server.address())
                    .build())
        .toList();
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
