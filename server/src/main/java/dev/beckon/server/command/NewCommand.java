package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A command somebody wants.
 *
 * @param body handed to the action as it is, at most {@link Commands#MAX_BODY_BYTES}; not copied,
 *     so the caller leaves it alone from now on
 * @param deadline until when the device may start it
 * @param idempotencyKey names the request: sent again, it returns the first command
 * @param secretArgs names of the arguments whose values must not be shown
 * @param secretBody whether the body must not be shown
 */
@SuppressWarnings("ArrayRecordComponent") // carried, never compared
public record NewCommand(
    DeviceId deviceId,
    String action,
    Map<String, String> args,
    byte @Nullable [] body,
    Instant deadline,
    @Nullable String idempotencyKey,
    Set<String> secretArgs,
    boolean secretBody) {

  // Not compact: a compact constructor's class file would not say that the array may be null.
  public NewCommand(
      DeviceId deviceId,
      String action,
      Map<String, String> args,
      byte @Nullable [] body,
      Instant deadline,
      @Nullable String idempotencyKey,
      Set<String> secretArgs,
      boolean secretBody) {
    this.deviceId = deviceId;
    this.action = action;
    this.args = Map.copyOf(args);
    this.body = body;
    this.deadline = deadline;
    this.idempotencyKey = idempotencyKey;
    this.secretArgs = Set.copyOf(secretArgs);
    this.secretBody = secretBody;
  }

  /** A command without secrets. */
  public NewCommand(
      DeviceId deviceId,
      String action,
      Map<String, String> args,
      byte @Nullable [] body,
      Instant deadline,
      @Nullable String idempotencyKey) {
    this(deviceId, action, args, body, deadline, idempotencyKey, Set.of(), false);
  }

  boolean hasSecrets() {
    return secretBody || !secretArgs.isEmpty();
  }

  /** Without arguments, since some may be secret. */
  @Override
  public String toString() {
    return "new command to " + deviceId + ": " + action;
  }
}
