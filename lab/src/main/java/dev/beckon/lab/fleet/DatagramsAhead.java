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
 * in each of which every device sends one. Each stands in a slot; a round's slots follow one
 * another.
 */
final class DatagramsAhead {
  private static final int TOLD_EVERY = 100_000;

  private static final ValueLayout.OfInt INT_BE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final @Nullable Fleet fleet;
  private final LoadKind kind;
  private final int devices;
  private final int rounds;
  private final MemorySegment datagrams;

  /**
   * Room for them.
   *
   * @param fleet none for {@link LoadKind#STUN}
   * @param wanted about so many datagrams; at least one round
   */
  DatagramsAhead(Arena arena, @Nullable Fleet fleet, LoadKind kind, int devices, long wanted) {
    this.fleet = fleet;
    this.kind = kind;
    this.devices = devices;
    rounds = (int) Math.max(1, Math.min(wanted, Fleet.MAX_DEVICES) / devices);
    datagrams = arena.allocate((long) slots() * kind.bytes(), 64);
  }

  int slots() {
    return rounds * devices;
  }

  int deviceOf(int slot) {
    return slot % devices;
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
    for (int slot = 0; slot < slots() && !stop.getAsBoolean(); slot++) {
      if (fleet == null) {
        writeStun(slot);
      } else {
        fleet.write(deviceOf(slot), kind, slot, wallMillis, now, datagrams, offset(slot));
      }
      if (slot % TOLD_EVERY == 0) {
        progress.at("datagrams computed", slot, slots());
      }
    }
    progress.at("datagrams computed", slots(), slots());
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
