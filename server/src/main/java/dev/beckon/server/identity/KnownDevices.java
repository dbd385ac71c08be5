package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Actions;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The devices that this server knows. On the rendezvous server those are all of the fleet ({@link
 * Devices}); an application server knows those that it had to do with, as the rendezvous server
 * told of them. Thread-safe.
 */
public sealed class KnownDevices permits Devices {

  private final Database database;

  /** What is known in this database. */
  public KnownDevices(Database database) {
    this.database = database;
  }

  public Optional<Device> find(DeviceId id) {
    return database.read(sql -> find(sql, id));
  }

  /** As {@link #find(DeviceId)}, within another part's transaction. */
  public Optional<Device> find(Sql sql, DeviceId id) throws SQLException {
    return DeviceTable.find(sql, id);
  }

  /**
   * Devices sorted by ID.
   *
   * @param after only those behind this ID; null = from the first
   * @param limit 1 to 1000
   */
  public List<Device> list(@Nullable String after, int limit) {
    if (limit < 1 || limit > 1000) {
      throw new IllegalArgumentException("limit: " + limit + " (expected 1 to 1000)");
    }
    return database.read(sql -> DeviceTable.list(sql, after, limit));
  }

  /** The labels of these devices, by ID; a device without labels is missing. */
  public Map<DeviceId, SortedSet<String>> labels(Collection<Device> of) {
    List<DeviceId> ids = of.stream().map(Device::id).toList();
    return database.read(sql -> Labels.of(sql, ids));
  }

  /** Keeps what the device said it can do, and the hash it will say it by in its next Hello. */
  public CompletableFuture<Void> declareActions(DeviceId id, Actions actions, byte[] hash) {
    byte[] kept = hash.clone();
    return database
        .write(
            sql -> {
              DeviceTable.declareActions(sql, id, actions, kept);
              return true;
            })
        .thenAccept(ignored -> {});
  }

  /** The hash of what the device declared; null if it declared nothing since it enrolled. */
  public byte @Nullable [] actionsHash(DeviceId id) {
    return database.read(sql -> DeviceTable.actionsHash(sql, id)).orElse(null);
  }

  /**
   * Takes over what the rendezvous server told of a device, within another part's transaction. A
   * new generation's actions are not known yet: it may be other hardware. What was said before the
   * device enrolled again changes nothing.
   *
   * @return whether this is a newer generation of a device that was known
   */
  public boolean learn(Sql sql, DeviceId id, int generation, Device.State state, Instant now)
      throws SQLException {
    int before = find(sql, id).map(Device::generation).orElse(0);
    if (generation < before) {
      return false;
    }
    DeviceTable.learn(sql, id, generation, state, now);
    return before > 0 && generation > before;
  }

  /**
   * As {@link #learn}, from the certificate that an admitted device showed: it may come before the
   * rendezvous server's word.
   */
  public boolean meet(Sql sql, DeviceId id, int generation, Instant now) throws SQLException {
    int before = find(sql, id).map(Device::generation).orElse(0);
    return generation > before && learn(sql, id, generation, Device.State.ENROLLED, now);
  }

  /** The rendezvous server knows no such device any more. */
  public CompletableFuture<Void> forget(DeviceId id) {
    return database
        .write(
            sql -> {
              DeviceTable.forget(sql, id);
              return true;
            })
        .thenAccept(ignored -> {});
  }
}
