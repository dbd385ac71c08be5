package dev.beckon.server.api;

import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Passes on what happens to commands to those who wait for it: requests with {@code ?wait=} and
 * streams of events. Thread-safe; called on the thread that all commands wait for, so it only
 * completes futures and fills queues.
 */
final class Watchers implements CommandListener {

  private final Map<String, Set<CompletableFuture<Void>>> waiting = new ConcurrentHashMap<>();
  private final Set<EventStream> streams = ConcurrentHashMap.newKeySet();
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean closed;

  /** A future that completes when the command ends; {@link #forget} it afterwards. */
  CompletableFuture<Void> end(String commandId) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    waiting.compute(
        commandId,
        (id, others) -> {
          Set<CompletableFuture<Void>> all =
              others == null ? ConcurrentHashMap.newKeySet() : others;
          all.add(end);
          return all;
        });
    if (closed) {
      end.complete(null);
    }
    return end;
  }

  void forget(String commandId, CompletableFuture<Void> end) {
    waiting.computeIfPresent(
        commandId,
        (id, all) -> {
          all.removeIf(each -> each == end);
          return all.isEmpty() ? null : all;
        });
  }

  /** Adds a stream unless there are too many; {@link #remove} it afterwards. */
  Optional<EventStream> open(EventStream stream, int most) {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      return Optional.empty();
    }
    streams.add(stream);
    if (closed) {
      stream.close();
    }
    return Optional.of(stream);
  }

  void remove(EventStream stream) {
    if (streams.remove(stream)) {
      open.decrementAndGet();
    }
  }

  int streams() {
    return open.get();
  }

  @Override
  public void accepted(Command command) {
    streams.forEach(stream -> stream.offer(command));
  }

  @Override
  public void changed(Command command) {
    streams.forEach(stream -> stream.offer(command));
    if (command.state().ended()) {
      Set<CompletableFuture<Void>> all = waiting.remove(command.id());
      if (all != null) {
        all.forEach(end -> end.complete(null));
      }
    }
  }

  /** Ends every wait and every stream. */
  void close() {
    closed = true;
    streams.forEach(EventStream::close);
    waiting.values().forEach(all -> all.forEach(end -> end.complete(null)));
  }
}
