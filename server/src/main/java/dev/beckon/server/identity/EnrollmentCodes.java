package dev.beckon.server.identity;

import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.function.Supplier;

/** Makes the fleet's enrollment codes, for devices and for servers. Thread-safe. */
public final class EnrollmentCodes {

  /** How long a code may be valid at most. */
  public static final Duration MAX_VALIDITY = Duration.ofDays(30);

  private static final SecureRandom RANDOM = new SecureRandom();

  private final InstantSource clock;
  private final FleetCa ca;
  private final Supplier<Advertised> advertised;

  /**
   * @param advertised asked for each code, so the ports need not be known yet
   */
  public EnrollmentCodes(InstantSource clock, FleetCa ca, Supplier<Advertised> advertised) {
    this.clock = clock;
    this.ca = ca;
    this.advertised = advertised;
  }

  /**
   * A new code, of no use until it is kept as an invitation ({@link Invitations#invite}).
   *
   * @param validity 1 second to {@link #MAX_VALIDITY}
   * @throws IllegalArgumentException if the validity is out of range; the message is for people
   */
  public EnrollmentCode make(Duration validity) {
    if (validity.compareTo(Duration.ofSeconds(1)) < 0 || validity.compareTo(MAX_VALIDITY) > 0) {
      throw new IllegalArgumentException("valid: " + validity + " (expected 1s to 30d)");
    }
    byte[] secret = new byte[EnrollmentCode.SECRET_BYTES];
    RANDOM.nextBytes(secret);
    Instant expiry = clock.instant().plus(validity).plusMillis(999).truncatedTo(ChronoUnit.SECONDS);
    Advertised here = advertised.get();
    return new EnrollmentCode(here.host(), here.tlsPort(), ca.fingerprint(), secret, expiry);
  }
}
