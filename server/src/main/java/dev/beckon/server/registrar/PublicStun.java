package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;

/**
 * Answers the Binding requests of strangers, if the operator wants that: any STUN client can then
 * test the way to this server. Thread-safe.
 *
 * <p>It is the one thing that is answered without authentication, so all answers together are
 * capped: a flood with spoofed sources cannot use this server to hit somebody else hard.
 */
public final class PublicStun {
  /** Answers per second: plenty for people who test, under 1 Mbit/s for an attacker. */
  static final int MAX_ANSWERS_PER_SECOND = 1000;

  private final boolean enabled;
  private long second;
  private int answered;

  public PublicStun(boolean enabled) {
    this.enabled = enabled;
  }

  /** Writes the answer; returns its length, or 0 if there is none. */
  int answer(
      DatagramReader request,
      long addressHigh,
      long addressLow,
      int port,
      long nowNanos,
      DatagramWriter writer) {
    if (!enabled || !isBelowCap(nowNanos)) {
      return 0;
    }
    if (request.unknownRequiredAttribute() >= 0) {
      return writer.unknownAttributeError(request);
    }
    return writer
        .begin(DatagramType.KEEPALIVE_ANSWER, request.bytes(), request.transactionIdOffset())
        .mappedAddress(addressHigh, addressLow, port)
        .finishPlain();
  }

  private synchronized boolean isBelowCap(long nowNanos) {
    long thisSecond = Math.floorDiv(nowNanos, 1_000_000_000L);
    if (thisSecond != second) {
      second = thisSecond;
      answered = 0;
    }
    return answered++ < MAX_ANSWERS_PER_SECOND;
  }
}
