package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Actions;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A device as the server knows it.
 *
 * @param generation counts enrollments; 0 until the first one
 * @param enrolledAt time of the latest enrollment
 * @param actions what the device declared it can do; null until it did
 */
public record Device(
    DeviceId id,
    int generation,
    State state,
    Instant addedAt,
    @Nullable Instant enrolledAt,
    @Nullable Actions actions) {

  /** How far a device has come. */
  public enum State {
    /** Added, but its enrollment code was not used yet. */
    INVITED,
    ENROLLED,
    /** Shut out until it enrolls again with a new code. */
    REVOKED
  }
}
