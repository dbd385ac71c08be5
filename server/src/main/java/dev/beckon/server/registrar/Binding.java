package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.AddressBits;
import java.net.InetSocketAddress;

/**
 * A copy of one row of the {@link BindingTable}: where a device is. Mutable and used again, so that
 * a keepalive costs no object. Not thread-safe.
 */
public final class Binding {
  /** Flag: a wake is outstanding for this device. */
  public static final int WAKE_OUTSTANDING = 1;

  /** Keyed hash of the device ID; 0 never occurs. */
  public long tag;

  /** The last sequence that counted. */
  public long sequence;

  /** Master key that the device's key comes from. */
  public int keyId;

  /** Number of the local socket that the last keepalive came to; wakes leave through it. */
  public int socket;

  /** Mapped address, as in {@link AddressBits}; proven by an echoed path token. */
  public long addressHigh;

  public long addressLow;
  public int port;
  public int generation;

  /** Unix time in seconds, unsigned 32 bits. */
  public long lastSeenSeconds;

  /** As announced by the device; see {@link dev.beckon.protocol.datagram.Interval}. */
  public int intervalCode;

  public int flags;

  public void copyFrom(Binding other) {
    tag = other.tag;
    sequence = other.sequence;
    keyId = other.keyId;
    socket = other.socket;
    addressHigh = other.addressHigh;
    addressLow = other.addressLow;
    port = other.port;
    generation = other.generation;
    lastSeenSeconds = other.lastSeenSeconds;
    intervalCode = other.intervalCode;
    flags = other.flags;
  }

  public InetSocketAddress mappedAddress() {
    return new InetSocketAddress(AddressBits.toAddress(addressHigh, addressLow), port);
  }

  boolean isAt(long high, long low, int atPort) {
    return addressLow == low && addressHigh == high && port == atPort;
  }
}
