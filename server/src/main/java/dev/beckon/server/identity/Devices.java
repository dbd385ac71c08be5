package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.store.Database;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The devices of the fleet, and who may become one. Thread-safe. */
public final class Devices extends KnownDevices {

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
    super(database);
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
}
