package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Update;
import org.jspecify.annotations.Nullable;

/** What is asked of a device's frames before anything is done for them: pure functions. */
final class FrameCheck {

  private static final int SHA_256_BYTES = 32;

  /** Why the session ends, and what the device is told. */
  record Objection(CloseReason reason, String text) {}

  private FrameCheck() {}

  /**
   * What speaks against the Hello; null if nothing does.
   *
   * @param certifiedId the device ID in the certificate
   * @param generation likewise
   */
  static @Nullable Objection objection(
      Hello hello, String certifiedId, int generation, Admission admission, ServerNumbers numbers) {
    if (!hello.getDeviceId().equals(certifiedId)) {
      return new Objection(
          CloseReason.DEVICE_MISMATCH,
          "device ID: not the certificate's (expected " + certifiedId + ")");
    }
    if (admission.denies(certifiedId, generation)) {
      return new Objection(
          CloseReason.REVOKED,
          "generation: " + generation + " (expected a newer one; enroll this device again)");
    }
    if (!numbers.held().contains(hello.getServerNumber())) {
      return new Objection(
          CloseReason.WRONG_SERVER,
          "server number: "
              + Integer.toUnsignedString(hello.getServerNumber())
              + " (expected one of "
              + numbers.held()
              + ")");
    }
    if (isNoHash(hello.getActionsHash())) {
      return new Objection(
          CloseReason.PROTOCOL_ERROR,
          "actions_hash: " + hello.getActionsHash().size() + " bytes (expected 32, SHA-256)");
    }
    if (isNoHash(hello.getRootsHash())) {
      return new Objection(
          CloseReason.PROTOCOL_ERROR,
          "roots_hash: " + hello.getRootsHash().size() + " bytes (expected 32, SHA-256)");
    }
    if (hello.getDelivery() != Delivery.DELIVERY_PUSH
        && hello.getDelivery() != Delivery.DELIVERY_INQUIRY) {
      return new Objection(
          CloseReason.PROTOCOL_ERROR,
          "delivery: " + hello.getDeliveryValue() + " (expected 1 push or 2 inquiry)");
    }
    return null;
  }

  private static boolean isNoHash(ByteString hash) {
    return !hash.isEmpty() && hash.size() != SHA_256_BYTES;
  }

  /** What speaks against the state in an Update; null if nothing does. */
  static @Nullable Objection objection(Update update) {
    return switch (update.getState()) {
      case DELIVERED, RUNNING, SUCCEEDED, FAILED, REJECTED, EXPIRED, CANCELLED, UNKNOWN -> null;
      default ->
          new Objection(
              CloseReason.PROTOCOL_ERROR,
              "state: " + update.getStateValue() + " (expected 2 to 9)");
    };
  }
}
