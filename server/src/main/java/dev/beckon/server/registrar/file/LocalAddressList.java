package dev.beckon.server.registrar.file;

import dev.beckon.protocol.datagram.AddressBits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The local addresses that bindings refer to by a number of one byte. Addresses are only ever
 * added: a number keeps its meaning when the server starts with other addresses, or in another
 * order.
 *
 * <pre>
 *   0   address, high half
 *   1   address, low half
 *   2   port + 65,536 (0 = not used)
 *   3   check
 * </pre>
 *
 * <p>Number 255 stands for an address that was forgotten to make room. Not thread-safe.
 */
final class LocalAddressList {
  static final int FORGOTTEN = 255;
  private static final int ENTRIES = 255;
  private static final int ENTRY_BYTES = 32;
  static final int BYTES = 256 * ENTRY_BYTES;

  private static final int USED = 1 << 16;
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment entries;

  LocalAddressList(MemorySegment entries) {
    this.entries = entries;
  }

  boolean isWhole() {
    for (int number = 0; number < ENTRIES; number++) {
      long at = (long) number * ENTRY_BYTES;
      if (entries.get(WORD, at + 16) != 0
          && entries.get(WORD, at + 24) != check(at, entries.get(WORD, at + 16))) {
        return false;
      }
    }
    return true;
  }

  /** Number of an address, which is added if it is not there; -1 if there is no room. */
  int number(InetSocketAddress address) {
    int free = -1;
    for (int number = 0; number < ENTRIES; number++) {
      Optional<InetSocketAddress> entry = address(number);
      if (entry.isEmpty()) {
        free = free < 0 ? number : free;
      } else if (entry.get().equals(address)) {
        return number;
      }
    }
    if (free >= 0) {
      long at = (long) free * ENTRY_BYTES;
      entries.set(WORD, at, AddressBits.high(address.getAddress()));
      entries.set(WORD, at + 8, AddressBits.low(address.getAddress()));
      long port = USED | address.getPort();
      entries.set(WORD, at + 24, check(at, port));
      VarHandle
          .releaseFence(); // one store makes it an entry: a killed process leaves no half of one
      entries.set(WORD, at + 16, port);
    }
    return free;
  }

  /** The address with this number; empty if it was never given, or is forgotten. */
  Optional<InetSocketAddress> address(int number) {
    long at = (long) number * ENTRY_BYTES;
    long port = entries.get(WORD, at + 16);
    if (number >= ENTRIES || port == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new InetSocketAddress(
            AddressBits.toAddress(entries.get(WORD, at), entries.get(WORD, at + 8)),
            (int) port & 0xFFFF));
  }

  void forget(int number) {
    entries.set(WORD, (long) number * ENTRY_BYTES + 16, 0);
  }

  private long check(long at, long port) {
    long check = entries.get(WORD, at) * 0x9E37_79B9_7F4A_7C15L;
    check = (check ^ check >>> 31 ^ entries.get(WORD, at + 8)) * 0xBF58_476D_1CE4_E5B9L;
    check = (check ^ check >>> 31 ^ port) * 0x94D0_49BB_1331_11EBL;
    return check ^ check >>> 31;
  }
}
