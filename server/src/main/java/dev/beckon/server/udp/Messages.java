package dev.beckon.server.udp;

import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.DatagramReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Datagrams with their addresses, laid out for recvmmsg and sendmmsg: an array of {@code struct
 * mmsghdr}, each with an {@code iovec}, a socket address and the bytes. Not thread-safe.
 *
 * <pre>
 *   mmsghdr, 64 bytes                          sockaddr_in / sockaddr_in6
 *     0  name (pointer)                          0  family (2 / 10)
 *     8  name length 4                           2  port, big-endian
 *    16  iovec (pointer)                         4  IPv4 address / flow
 *    24  number of iovecs 8                      8  - / IPv6 address 16
 *    32  control (pointer), length 8            24  - / scope
 *    48  flags 4
 *    56  bytes received or sent 4
 * </pre>
 */
final class Messages {
  private static final int HEADER_BYTES = 64;
  private static final int IOVEC_BYTES = 16;
  private static final int ADDRESS_BYTES = 32;

  /** One byte more than the longest: what fills it is too long. */
  private static final int CONTENT_BYTES = DatagramReader.MAX_BYTES + 1;

  private static final int CONTENT_STEP = 576; // whole cache lines

  private static final int IPV4_LENGTH = 16;
  private static final int IPV6_LENGTH = 28;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfShort SHORT_BE =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfInt INT_BE =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong LONG_BE =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.BIG_ENDIAN);

  private final int capacity;
  private final MemorySegment headers;
  private final MemorySegment iovecs;
  private final MemorySegment addresses;
  private final MemorySegment contents;

  Messages(Arena arena, int capacity) {
    this.capacity = capacity;
    headers = arena.allocate((long) capacity * HEADER_BYTES, 64);
    iovecs = arena.allocate((long) capacity * IOVEC_BYTES, 64);
    addresses = arena.allocate((long) capacity * ADDRESS_BYTES, 64);
    contents = arena.allocate((long) capacity * CONTENT_STEP, 64);
    for (int i = 0; i < capacity; i++) {
      long header = (long) i * HEADER_BYTES;
      headers.set(
          ValueLayout.ADDRESS, header, addresses.asSlice((long) i * ADDRESS_BYTES, ADDRESS_BYTES));
      headers.set(
          ValueLayout.ADDRESS, header + 16, iovecs.asSlice((long) i * IOVEC_BYTES, IOVEC_BYTES));
      headers.set(ValueLayout.JAVA_LONG, header + 24, 1);
      iovecs.set(
          ValueLayout.ADDRESS,
          (long) i * IOVEC_BYTES,
          contents.asSlice((long) i * CONTENT_STEP, CONTENT_BYTES));
      iovecs.set(ValueLayout.JAVA_LONG, (long) i * IOVEC_BYTES + 8, CONTENT_BYTES);
    }
    clear(capacity);
  }

  int capacity() {
    return capacity;
  }

  /** The headers from the n-th on, as the kernel takes them. */
  MemorySegment from(int first) {
    return first == 0 ? headers : headers.asSlice((long) first * HEADER_BYTES);
  }

  /**
   * Makes the first ones ready to receive again: the kernel has told there how long the names are.
   */
  void clear(int count) {
    for (int i = 0; i < count; i++) {
      headers.set(INT, (long) i * HEADER_BYTES + 8, ADDRESS_BYTES);
    }
  }

  /** Copies the bytes of the n-th datagram; their number, at most one above the longest allowed. */
  int read(int n, byte[] into) {
    int length = headers.get(INT, (long) n * HEADER_BYTES + 56);
    MemorySegment.copy(contents, ValueLayout.JAVA_BYTE, (long) n * CONTENT_STEP, into, 0, length);
    return length;
  }

  long addressHigh(int n) {
    long at = (long) n * ADDRESS_BYTES;
    return isIpv4(at) ? 0 : addresses.get(LONG_BE, at + 8);
  }

  long addressLow(int n) {
    long at = (long) n * ADDRESS_BYTES;
    return isIpv4(at)
        ? AddressBits.ipv4(addresses.get(INT_BE, at + 4))
        : addresses.get(LONG_BE, at + 16);
  }

  int port(int n) {
    return port(addresses, (long) n * ADDRESS_BYTES);
  }

  /** The port of a socket address. */
  static int port(MemorySegment address, long at) {
    return address.get(SHORT_BE, at + 2) & 0xFFFF;
  }

  private boolean isIpv4(long at) {
    return addresses.get(ValueLayout.JAVA_SHORT, at) == LinuxSockets.AF_INET;
  }

  /** Fills the n-th with a datagram to send. */
  void write(int n, byte[] bytes, int length, long addressHigh, long addressLow, int port) {
    MemorySegment.copy(bytes, 0, contents, ValueLayout.JAVA_BYTE, (long) n * CONTENT_STEP, length);
    iovecs.set(ValueLayout.JAVA_LONG, (long) n * IOVEC_BYTES + 8, length);
    headers.set(
        INT,
        (long) n * HEADER_BYTES + 8,
        writeAddress(addresses, (long) n * ADDRESS_BYTES, addressHigh, addressLow, port, 0));
  }

  /** Writes a socket address; its length. */
  static int writeAddress(
      MemorySegment into, long at, long addressHigh, long addressLow, int port, int scope) {
    into.set(SHORT_BE, at + 2, (short) port);
    if (AddressBits.isIpv4(addressHigh, addressLow)) {
      into.set(ValueLayout.JAVA_SHORT, at, (short) LinuxSockets.AF_INET);
      into.set(INT_BE, at + 4, (int) addressLow);
      into.set(ValueLayout.JAVA_LONG, at + 8, 0);
      return IPV4_LENGTH;
    }
    into.set(ValueLayout.JAVA_SHORT, at, (short) LinuxSockets.AF_INET6);
    into.set(INT_BE, at + 4, 0);
    into.set(LONG_BE, at + 8, addressHigh);
    into.set(LONG_BE, at + 16, addressLow);
    into.set(INT, at + 24, scope);
    return IPV6_LENGTH;
  }
}
