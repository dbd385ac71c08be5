package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Datagrams computed before they are sent, so that sending them costs next to nothing: some rounds,
 * in each of which every device sends one, or of a large fleet a part of a round, which goes on
 * with the next devices when it is computed anew. Each stands in a slot, in the order of the
 * devices.
 */
final class DatagramsAhead {
  private static final int TOLD_EVERY = 100_000;

  private static final ValueLayout.OfInt INT_BE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final @Nullable Fleet fleet;
  private final LoadKind kind;
  private final int devices;
  private final int slots;
  private final MemorySegment datagrams;

  /** Of the first slot; a block begins with it. */
  private int firstDevice;

  private int nextDevice;

  /**
   * Room for them.
   *
   * @param fleet none for {@link LoadKind#STUN}
   * @param wanted so many datagrams or a little less
   */
  DatagramsAhead(Arena arena, @Nullable Fleet fleet, LoadKind kind, int devices, long wanted) {
    this.fleet = fleet;
    this.kind = kind;
    this.devices = devices;
    int most = (int) Math.min(wanted, Fleet.MAX_DEVICES);
    slots = most < devices ? most : most / devices * devices;
    datagrams = arena.allocate((long) slots * kind.bytes(), 64);
  }

  int slots() {
    return slots;
  }

  int deviceOf(int slot) {
    return (firstDevice + slot) % devices;
  }

  MemorySegment bytes() {
    return datagrams;
  }

  long offset(int slot) {
    return (long) slot * kind.bytes();
  }

  /** Computes all of them anew: with the next sequences, and the tokens that came meanwhile. */
  void compute(
      LongSupplier nanoClock, InstantSource clock, Progress progress, BooleanSupplier stop) {
    long now = nanoClock.getAsLong();
    long wallMillis = clock.millis();
    firstDevice = Blocks.first(Blocks.of(nextDevice));
    nextDevice = deviceOf(slots);
    for (int slot = 0; slot < slots && !stop.getAsBoolean(); slot++) {
      if (fleet == null) {
        writeStun(slot);
      } else {
        fleet.write(deviceOf(slot), kind, slot, wallMillis, now, datagrams, offset(slot));
      }
      if (slot % TOLD_EVERY == 0) {
        progress.at("datagrams computed", slot, slots);
      }
    }
    progress.at("datagrams computed", slots, slots);
  }

  /** RFC 8489, section 5: type, length 0, magic cookie, transaction ID; no attribute. */
  private void writeStun(int slot) {
    long at = offset(slot);
    datagrams.set(INT_BE, at, kind.type().code() << 16);
    datagrams.set(INT_BE, at + 4, DatagramReader.MAGIC_COOKIE);
    datagrams.set(INT_BE, at + 8, slot);
    datagrams.set(INT_BE, at + 12, slot * 0x9E37_79B9);
    datagrams.set(INT_BE, at + 16, ~slot);
  }
}
