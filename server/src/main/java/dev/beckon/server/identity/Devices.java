package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Actions;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The devices of the fleet. Thread-safe. */
public final class Devices {

  /** How long an enrollment code may be valid at most. */
  public static final Duration MAX_VALIDITY = Duration.ofDays(30);

  private static final SecureRandom RANDOM = new SecureRandom();

  private final Database database;
  private final InstantSource clock;
  private final FleetCa ca;
  private final DenyList denyList;
  private final Supplier<Advertised> advertised;

  Devices(
      Database database,
      InstantSource clock,
      FleetCa ca,
      DenyList denyList,
      Supplier<Advertised> advertised) {
    this.database = database;
    this.clock = clock;
    this.ca = ca;
    this.denyList = denyList;
    this.advertised = advertised;
  }

  /**
   * Adds the device, or lets a known one enroll again; an unused code that it had stops working. A
   * known device goes on as it is until the new code is used.
   *
   * @param validity of the code, 1 second to {@link #MAX_VALIDITY}
   * @throws IllegalArgumentException if the validity is out of range
   */
  public CompletableFuture<EnrollmentCode> add(DeviceId id, Duration validity) {
    if (validity.compareTo(Duration.ofSeconds(1)) < 0 || validity.compareTo(MAX_VALIDITY) > 0) {
      throw new IllegalArgumentException("valid: " + validity + " (expected 1s to 30d)");
    }
    byte[] secret = new byte[EnrollmentCode.SECRET_BYTES];
    RANDOM.nextBytes(secret);
    Instant now = clock.instant();
    Instant expiry = now.plus(validity).plusMillis(999).truncatedTo(ChronoUnit.SECONDS);
    Advertised here = advertised.get();
    EnrollmentCode code =
        new EnrollmentCode(here.host(), here.tlsPort(), ca.fingerprint(), secret, expiry);
    return database.write(
        sql -> {
          DeviceTable.addIfMissing(sql, id, now);
          int generation = DeviceTable.find(sql, id).map(Device::generation).orElse(0);
          if (generation >= DeviceKey.MAX_GENERATION) {
            throw new IllegalStateException(
                "device ID: " + id + " (enrolled " + generation + " times; expected another ID)");
          }
          DeviceTable.invite(sql, id, FleetCa.sha256(secret), expiry, now);
          return code;
        });
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
}
