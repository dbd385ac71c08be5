package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Makes all devices of a fleet known to the server, as devices do it: each sends a keepalive, gets
 * a path token and echoes it. Only so many requests are unanswered at a time that the server keeps
 * up; what is lost is sent again.
 */
final class SetUp {
  /** Keeps a server busy, and fits even a small receive buffer of the kernel's. */
  private static final int MAX_BLOCKS_UNANSWERED = 16;

  private static final long PATIENCE_NANOS = 300_000_000;

  /** With {@link #PATIENCE_NANOS}: a server that is silent for 15 s will not speak. */
  private static final int MAX_TRIES = 50;

  private static final long TOLD_EVERY_NANOS = 100_000_000;

  private final Fleet fleet;
  private final Blocks blocks;
  private final SourceSockets sockets;
  private final LongSupplier nanoClock;
  private final InstantSource clock;
  private final DatagramReader reader = new DatagramReader();

  // By block.
  private final byte[] missing;
  private final byte[] tries;
  private final long[] sentNanos;

  /** Blocks to send again, newest last; and those that wait for answers. */
  private final int[] again;

  private int againCount;
  private final int[] waiting = new int[MAX_BLOCKS_UNANSWERED];
  private int waitingCount;

  private int next;
  private int done;
  private int allowed = MAX_BLOCKS_UNANSWERED;
  private long narrowedNanos;
  private int proven;

  SetUp(
      Fleet fleet,
      Blocks blocks,
      SourceSockets sockets,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.fleet = fleet;
    this.blocks = blocks;
    this.sockets = sockets;
    this.nanoClock = nanoClock;
    this.clock = clock;
    missing = new byte[blocks.count()];
    tries = new byte[blocks.count()];
    sentNanos = new long[blocks.count()];
    again = new int[blocks.count()];
  }

  /**
   * Works until every device is proven.
   *
   * @param stop ends it early
   * @throws IOException if the server does not answer
   */
  void run(Progress progress, BooleanSupplier stop) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int bytes = LoadKind.KEEPALIVE.bytes();
      MemorySegment buffer = arena.allocate((long) SourceSockets.BATCH * bytes, 64);
      long toldNanos = nanoClock.getAsLong();
      while (done < blocks.count() && !stop.getAsBoolean()) {
        while (waitingCount < allowed && (againCount > 0 || next < blocks.count())) {
          send(againCount > 0 ? again[--againCount] : next++, buffer);
        }
        // From behind: a block whose last answer comes leaves the list.
        for (int i = waitingCount - 1; i >= 0; i--) {
          sockets.receive(blocks.socket(waiting[i]), this::onDatagram);
          i = Math.min(i, waitingCount);
        }
        long now = nanoClock.getAsLong();
        giveUpWaiting(now);
        if (now - toldNanos > TOLD_EVERY_NANOS) {
          toldNanos = now;
          progress.at("devices set up", proven, fleet.size());
        }
      }
      progress.at("devices set up", proven, fleet.size());
    }
  }

  private void send(int block, MemorySegment buffer) {
    int bytes = LoadKind.KEEPALIVE.bytes();
    long now = nanoClock.getAsLong();
    long wallMillis = clock.millis();
    int count = 0;
    int first = Blocks.first(block);
    for (int device = first; device < first + blocks.length(block); device++) {
      if (!fleet.isProven(device)) {
        long at = (long) count * bytes;
        fleet.write(device, LoadKind.KEEPALIVE, device, wallMillis, now, buffer, at);
        count++;
      }
    }
    missing[block] = (byte) count;
    sentNanos[block] = now;
    waiting[waitingCount++] = block;
    sockets.send(blocks.socket(block), buffer, 0, count, bytes);
  }

  private void onDatagram(int socket, byte[] bytes, int length) {
    if (reader.read(bytes, length) != null || reader.type() != DatagramType.KEEPALIVE_ANSWER) {
      return;
    }
    int device = fleet.slotOf(reader);
    if (device < 0
        || device >= fleet.size()
        || !fleet.isForNewest(device, reader)
        || !fleet.isWaiting(device)) {
      return;
    }
    switch (fleet.onAnswer(device, reader)) {
      case FORGED -> {
        return;
      }
      case ACCEPTED -> proven++;
      case UNPROVEN, STALE -> {}
    }
    int block = Blocks.of(device);
    if (--missing[block] == 0) {
      tries[block] = 0;
      stopWaiting(block);
    }
  }

  private void stopWaiting(int block) {
    for (int i = 0; i < waitingCount; i++) {
      if (waiting[i] == block) {
        waiting[i] = waiting[--waitingCount];
        break;
      }
    }
    int first = Blocks.first(block);
    for (int device = first; device < first + blocks.length(block); device++) {
      if (!fleet.isProven(device)) {
        again[againCount++] = block;
        return;
      }
    }
    done++;
  }

  private void giveUpWaiting(long nowNanos) throws IOException {
    for (int i = waitingCount - 1; i >= 0; i--) {
      int block = waiting[i];
      if (nowNanos - sentNanos[block] > PATIENCE_NANOS) {
        if (++tries[block] > MAX_TRIES) {
          throw new IOException(
              "%d of %d devices got no answer (expected: a server with these master keys at this address)"
                  .formatted(fleet.size() - proven, fleet.size()));
        }
        if (nowNanos - narrowedNanos > PATIENCE_NANOS) {
          narrowedNanos = nowNanos;
          allowed = Math.max(1, allowed / 2);
        }
        stopWaiting(block);
      }
    }
  }

  /** Number of devices whose address the server has taken for proven. */
  int proven() {
    return proven;
  }
}
