package dev.beckon.server.session;

import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Hello;
import org.jspecify.annotations.Nullable;

/** Whether a Hello may begin a session: pure functions. */
final class HelloCheck {

  /** Why it may not, and what the device is told. */
  record Objection(CloseReason reason, String text) {}

  private HelloCheck() {}

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
    int hashBytes = hello.getActionsHash().size();
    if (hashBytes != 0 && hashBytes != 32) {
      return new Objection(
          CloseReason.PROTOCOL_ERROR,
          "actions_hash: " + hashBytes + " bytes (expected 32, SHA-256)");
    }
    if (hello.getDelivery() != Delivery.DELIVERY_PUSH
        && hello.getDelivery() != Delivery.DELIVERY_INQUIRY) {
      return new Objection(
          CloseReason.PROTOCOL_ERROR,
          "delivery: " + hello.getDeliveryValue() + " (expected 1 push or 2 inquiry)");
    }
    return null;
  }
}
