package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;

/** What a fleet sends. */
public enum LoadKind {
  /** Keepalives that are answered. */
  KEEPALIVE(DatagramType.KEEPALIVE, DatagramReader.MIN_KEEPALIVE_BYTES),

  /** Keepalives that are not. */
  ONE_WAY(DatagramType.ONE_WAY_KEEPALIVE, Fleet.ONE_WAY_BYTES),

  /** Binding requests of an ordinary STUN client, without attributes: any STUN server's work. */
  STUN(DatagramType.PLAIN_BINDING_REQUEST, DatagramReader.STUN_HEADER_BYTES);

  private final DatagramType type;
  private final int bytes;

  LoadKind(DatagramType type, int bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  DatagramType type() {
    return type;
  }

  /** Length of each datagram of this kind. */
  int bytes() {
    return bytes;
  }

  boolean isAnswered() {
    return this != ONE_WAY;
  }
}
