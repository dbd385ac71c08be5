package dev.beckon.server.api;

import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.command.Group;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

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

  /**
   * A command or group command once it has ended, or as it stands when the patience is over.
   *
   * @param now as it stood a moment ago
   * @param find as it stands
   */
  <T> T ended(
      T now,
      Duration patience,
      Function<T, String> id,
      Predicate<T> ended,
      Function<String, @Nullable T> find) {
    if (patience.isZero() || ended.test(now)) {
      return now;
    }
    String key = id.apply(now);
    CompletableFuture<Void> end = end(key);
    try {
      // It may have ended before anybody watched.
      T latest = orElse(find.apply(key), now);
      if (ended.test(latest)) {
        return latest;
      }
      end.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException patienceIsOver) {
      // Answered as it stands; the caller sees the state.
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException never) {
      throw new IllegalStateException(never);
    } finally {
      forget(key, end);
    }
    return orElse(find.apply(key), now);
  }

  private static <T> T orElse(@Nullable T found, T otherwise) {
    return found == null ? otherwise : found;
  }

  /** A future that completes when the command ends; {@link #forget} it afterwards. */
  private CompletableFuture<Void> end(String commandId) {
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

  private void forget(String commandId, CompletableFuture<Void> end) {
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
      ended(command.id());
    }
  }

  @Override
  public void groupChanged(Group group) {
    streams.forEach(stream -> stream.offer(group));
    if (group.endedAt() != null) {
      ended(group.id());
    }
  }

  private void ended(String id) {
    Set<CompletableFuture<Void>> all = waiting.remove(id);
    if (all != null) {
      all.forEach(end -> end.complete(null));
    }
  }

  /** Ends every wait and every stream. */
  void close() {
    closed = true;
    streams.forEach(EventStream::close);
    waiting.values().forEach(all -> all.forEach(end -> end.complete(null)));
  }
}
