package dev.beckon.server.session;

import dev.beckon.protocol.session.ByeReason;

/** Why a session ended. */
public enum CloseReason {
  /** Nothing was left to do for the linger time. */
  IDLE(ByeReason.IDLE),
  /** The same device opened a newer session. */
  REPLACED(ByeReason.REPLACED),
  /** This server stops. */
  SHUTTING_DOWN(ByeReason.SHUTTING_DOWN),
  /** The device's generation is on the deny-list. */
  REVOKED(ByeReason.REVOKED),
  /** The device's certificate is of a CA root that counts no more; it may have a newer one. */
  ROOT_DROPPED(ByeReason.BYE_UNSPECIFIED),
  /** Hello named another device than the certificate. */
  DEVICE_MISMATCH(ByeReason.DEVICE_MISMATCH),
  /** Hello meant a server that this one is not. */
  WRONG_SERVER(ByeReason.WRONG_SERVER),
  /** The device broke a rule of the protocol. */
  PROTOCOL_ERROR(ByeReason.PROTOCOL_ERROR),
  /** A deadline passed: Hello, or the device neither took nor sent anything that it owed. */
  TOO_SLOW(ByeReason.TOO_SLOW),
  /** The store could not keep what the device sent; the device will repeat it. */
  SERVER_FAILED(ByeReason.BYE_UNSPECIFIED),
  /** The device said Bye. */
  DEVICE_LEFT(ByeReason.BYE_UNSPECIFIED),
  /** The connection broke or ended without Bye. */
  CONNECTION_LOST(ByeReason.BYE_UNSPECIFIED);

  private final ByeReason bye;

  CloseReason(ByeReason bye) {
    this.bye = bye;
  }

  /** What the device is told. */
  ByeReason bye() {
    return bye;
  }
}
