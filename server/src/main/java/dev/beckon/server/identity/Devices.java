package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.store.Database;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The devices of the fleet, and who may become one. Thread-safe. */
public final class Devices extends KnownDevices {

  private final Database database;
  private final InstantSource clock;
  private final EnrollmentCodes codes;
  private final DenyList denyList;

  Devices(Database database, InstantSource clock, EnrollmentCodes codes, DenyList denyList) {
    super(database);
    this.database = database;
    this.clock = clock;
    this.codes = codes;
    this.denyList = denyList;
  }

  /**
   * Adds the device, or lets a known one enroll again; an unused code that it had stops working. A
   * known device goes on as it is until the new code is used.
   *
   * @param validity of the code, 1 second to {@link EnrollmentCodes#MAX_VALIDITY}
   * @throws IllegalArgumentException if the validity is out of range
   */
  public CompletableFuture<EnrollmentCode> add(DeviceId id, Duration validity) {
    EnrollmentCode code = codes.make(validity);
    return database.write(
        sql -> {
          Instant now = clock.instant();
          DeviceTable.addIfMissing(sql, id, now);
          int generation = DeviceTable.find(sql, id).map(Device::generation).orElse(0);
          DeviceTable.INVITATIONS.invite(sql, id, generation, code, now);
          return code;
        });
  }

  /**
   * Notes devices of generation 1 that came by their certificates otherwise than by a code, all in
   * one commit. The certificates are of the newest root. Devices that are known already stay as
   * they are.
   *
   * @param keyId of the master key that their device keys come from
   * @param rootsHash of the roots that they hold
   * @return how many were not known
   */
  public CompletableFuture<Integer> addEnrolled(
      Collection<DeviceId> ids, int keyId, byte[] rootsHash) {
    Instant now = clock.instant();
    return database.write(
        sql -> {
          int added = 0;
          for (DeviceId id : ids) {
            if (DeviceTable.addIfMissing(sql, id, now)) {
              DeviceTable.enroll(sql, id, 1, keyId, rootsHash, now);
              added++;
            }
          }
          return added;
        });
  }

  /**
   * Gives the device these labels in the place of those that it had. False if there is no such
   * device.
   *
   * @param labels up to {@link Labels#MAX_PER_DEVICE}; none clears them
   * @throws IllegalArgumentException with a message for people if these cannot be labels
   */
  public CompletableFuture<Boolean> label(DeviceId id, Collection<String> labels) {
    SortedSet<String> checked = Labels.checked(labels, Labels.MAX_PER_DEVICE);
    return database.write(
        sql -> {
          boolean known = DeviceTable.find(sql, id).isPresent();
          if (known) {
            Labels.set(sql, id, checked);
          }
          return known;
        });
  }

  /**
   * Devices that have all the labels, sorted by ID.
   *
   * @param labels at least one
   * @param after only those behind this ID; null = from the first
   * @param limit 1 to 1000
   */
  public List<Device> list(SortedSet<String> labels, @Nullable String after, int limit) {
    return database.read(sql -> DeviceTable.list(sql, labels, after, limit));
  }

  /**
   * Shuts the device out, with every certificate, key and code it has; open sessions end by {@link
   * DenyList#onRaised}. False if there is no such device.
   */
  public CompletableFuture<Boolean> revoke(DeviceId id) {
    return database
        .<Integer>write(
            sql -> {
              Device device = DeviceTable.find(sql, id).orElse(null);
              if (device == null) {
                return 0;
              }
              int minimum = device.generation() + 1;
              DeviceTable.revoke(sql, id);
              DenyList.store(sql, id, minimum);
              return minimum;
            },
            minimum -> {
              if (minimum > 0) {
                denyList.publish(id, minimum);
              }
            })
        .thenApply(minimum -> minimum > 0);
  }
}
