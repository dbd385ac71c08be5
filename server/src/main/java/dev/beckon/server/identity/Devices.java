package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Actions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The devices of the fleet. */
public final class Devices {

  Devices() {}

  /** Adds the device, or lets a known one enroll again. */
  public CompletableFuture<EnrollmentCode> add(DeviceId id, Duration validity) {
    throw new UnsupportedOperationException();
  }

  /** Shuts the device out; false if there is none. */
  public CompletableFuture<Boolean> revoke(DeviceId id) {
    throw new UnsupportedOperationException();
  }

  public Optional<Device> find(DeviceId id) {
    throw new UnsupportedOperationException();
  }

  /** Sorted by ID. */
  public List<Device> list(@Nullable String after, int limit) {
    throw new UnsupportedOperationException();
  }

  /** Keeps what the device said it can do, and the hash it will say it by in its next Hello. */
  public CompletableFuture<Void> declareActions(DeviceId id, Actions actions, byte[] hash) {
    throw new UnsupportedOperationException();
  }

  public byte @Nullable [] actionsHash(DeviceId id) {
    throw new UnsupportedOperationException();
  }
}
