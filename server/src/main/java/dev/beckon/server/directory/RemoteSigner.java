package dev.beckon.server.directory;

import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.session.DirectoryEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A directory server of its own, seen from the rendezvous server. While it is away the newest
 * contents wait for it. Thread-safe.
 */
public final class RemoteSigner implements ListSigner {

  private record Waiting(List<DirectoryEntry> entries, CompletableFuture<SignedList> signed) {}

  private final Directory directory;
  private @Nullable Consumer<PeerFrame> link; // guarded by this
  private @Nullable Waiting waiting; // guarded by this

  RemoteSigner(Directory directory) {
    this.directory = directory;
    directory.onNewer(this::arrived);
  }

  @Override
  public CompletableFuture<SignedList> sign(List<DirectoryEntry> entries) {
    synchronized (this) {
      Waiting overtaken = waiting;
      SignedList held = directory.current().orElse(null);
      if (held != null && held.entries().equals(entries)) {
        // Contents that were taken back must not be signed when the directory server comes.
        waiting = null;
        if (overtaken != null) {
          overtaken.signed().complete(held);
        }
        return CompletableFuture.completedFuture(held);
      }
      Waiting newest = new Waiting(entries, new CompletableFuture<>());
      waiting = newest;
      if (overtaken != null) {
        // Whoever waits for the older contents has them in the newer ones.
        newest.signed().thenAccept(overtaken.signed()::complete);
      }
      send();
      return newest.signed();
    }
  }

  /** The directory server is there; what waits goes to it. */
  public synchronized void connected(Consumer<PeerFrame> sending) {
    link = sending;
    send();
  }

  /** The directory server is away. */
  public synchronized void disconnected() {
    link = null;
  }

  private synchronized void send() {
    if (link != null && waiting != null) {
      ListPieces.of(waiting.entries()).forEach(link);
    }
  }

  private synchronized void arrived(SignedList list) {
    if (waiting != null && waiting.entries().equals(list.entries())) {
      waiting.signed().complete(list);
      waiting = null;
    }
  }
}
