package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/**
 * The devices whose older generations are shut out: raised by revocation and by re-enrollment. It
 * stays small, for a device that was enrolled once and never revoked is not on it. Thread-safe.
 */
public final class DenyList {

  private final Database database;
  private final ConcurrentHashMap<String, Integer> minimums = new ConcurrentHashMap<>();

  /** In force by {@link #raiseAll}, but not durable: to be written with the next attempt. */
  private final ConcurrentHashMap<String, Integer> unwritten = new ConcurrentHashMap<>();

  private final List<BiConsumer<DeviceId, Integer>> listeners = new CopyOnWriteArrayList<>();

  /** The list of this database. */
  public DenyList(Database database) {
    this.database = database;
    minimums.putAll(
        database.read(
            sql ->
                sql
                    .list(
                        "SELECT device_id, minimum_generation FROM deny_list",
                        row -> Map.entry(row.getString(1), row.getInt(2)))
                    .stream()
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))));
  }

  /** Whether this generation of the device is shut out. Takes no lock and allocates nothing. */
  public boolean denies(String deviceId, int generation) {
    Integer minimum = minimums.get(deviceId);
    return minimum != null && generation < minimum;
  }

  /**
   * Shuts out every generation of the device below {@code minimumGeneration}; never lets one back
   * in. When this completes it is durable and {@link #denies} knows.
   */
  public CompletableFuture<Void> raise(DeviceId id, int minimumGeneration) {
    return database
        .write(sql -> store(sql, id, minimumGeneration), ignored -> publish(id, minimumGeneration))
        .thenAccept(ignored -> {});
  }

  /**
   * Is told each device on the list and its minimum generation, now and whenever one is raised: who
   * talks to an older one stops then. Called on the thread that all writes wait for, or on an event
   * loop: return at once.
   */
  public void onRaised(BiConsumer<DeviceId, Integer> listener) {
    listeners.add(listener); // first, so that none is missed; one may be told twice
    minimums.forEach((id, minimum) -> listener.accept(new DeviceId(id), minimum));
  }

  /**
   * Takes over what the keeper of the list says. Who is new on it is shut out and told of at once,
   * whatever becomes of the write: to forget it would let a revoked device in. When this completes
   * it is durable; if it fails, call it again with the same.
   */
  public CompletableFuture<Void> raiseAll(Map<String, Integer> minimumGenerations) {
    Map<String, Integer> raised = new HashMap<>(minimumGenerations);
    raised
        .entrySet()
        .removeIf(
            entry ->
                denies(entry.getKey(), entry.getValue() - 1)
                    && !unwritten.containsKey(entry.getKey()));
    if (raised.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    raised.forEach(
        (id, minimum) -> {
          unwritten.merge(id, minimum, Math::max);
          publish(new DeviceId(id), minimum);
        });
    return database
        .write(
            sql -> {
              for (Map.Entry<String, Integer> entry : raised.entrySet()) {
                store(sql, new DeviceId(entry.getKey()), entry.getValue());
              }
              return raised;
            })
        .thenAccept(written -> written.forEach(unwritten::remove));
  }

  /** The whole list as it stands: minimum generations by device ID. */
  public Map<String, Integer> entries() {
    return Map.copyOf(minimums);
  }

  /** The durable half, within another's transaction; {@link #publish} follows its commit. */
  static int store(Sql sql, DeviceId id, int minimumGeneration) throws SQLException {
    return sql.update(
        "INSERT INTO deny_list (device_id, minimum_generation) VALUES (?, ?) ON CONFLICT"
            + " (device_id) DO UPDATE SET minimum_generation = max(minimum_generation,"
            + " excluded.minimum_generation)",
        id.value(),
        minimumGeneration);
  }

  void publish(DeviceId id, int minimumGeneration) {
    minimums.merge(id.value(), minimumGeneration, Math::max);
    listeners.forEach(listener -> listener.accept(id, minimumGeneration));
  }
}
