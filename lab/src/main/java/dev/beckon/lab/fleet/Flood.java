package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends datagrams that were computed ahead, a little faster than the server takes them, and
 * receives the answers. One pass over them is a window. Not thread-safe.
 */
final class Flood {
  private static final long OBSERVED_EVERY_NANOS = 100_000_000;

  /** So much may be sent at once after a pause of this thread. */
  private static final double MOST_AT_ONCE = 4 * SourceSockets.BATCH;

  /** To check each would cost a good part of what the server does; some suffice to see a fault. */
  private static final int CHECKED_ANSWERS = 16;

  private static final int STUN_ANSWER = DatagramType.KEEPALIVE_ANSWER.code();

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfInt INT_BE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /** What has happened since the window began, and how much of it was nothing. */
  record Counts(long nanos, long sent, long answered, long dropped, long idleNanos) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0);

    Counts minus(Counts other) {
      return new Counts(
          nanos - other.nanos,
          sent - other.sent,
          answered - other.answered,
          dropped - other.dropped,
          idleNanos - other.idleNanos);
    }

    Counts plus(Counts other) {
      return new Counts(
          nanos + other.nanos,
          sent + other.sent,
          answered + other.answered,
          dropped + other.dropped,
          idleNanos + other.idleNanos);
    }
  }

  private final @Nullable Fleet fleet;
  private final LoadKind kind;
  private final Blocks blocks;
  private final SourceSockets sockets;
  private final DatagramsAhead ahead;
  private final LongSupplier drops;
  private final LongSupplier nanoClock;
  private final DatagramReader reader = new DatagramReader();
  private final SourceSockets.Receiver receiver = this::onDatagram;

  /** When the slot's datagram was sent, in microseconds of this window; 0: not, or answered. */
  private final MemorySegment sentMicros;

  private SendRate rate = new SendRate();
  private long startNanos;
  private long creditNanos;
  private double credit;
  private long observedNanos;
  private Counts observed = Counts.NONE;
  private long nowNanos;
  private long droppedBefore;
  private long sent;
  private long sentBefore;
  private long notTaken;
  private long answered;
  private long idleNanos;
  private int slot;
  private int poll;
  private @Nullable Latencies latencies;

  private long unproven;
  private long stale;
  private long forged;
  private long other;

  /**
   * Not begun.
   *
   * @param drops how many datagrams the kernel has dropped in front of the server
   */
  Flood(
      Arena arena,
      @Nullable Fleet fleet,
      LoadKind kind,
      Blocks blocks,
      SourceSockets sockets,
      DatagramsAhead ahead,
      LongSupplier drops,
      LongSupplier nanoClock) {
    this.fleet = fleet;
    this.kind = kind;
    this.blocks = blocks;
    this.sockets = sockets;
    this.ahead = ahead;
    this.drops = drops;
    this.nanoClock = nanoClock;
    sentMicros = arena.allocate(INT.byteSize() * ahead.slots(), 64);
  }

  /** Begins a window: the datagrams are new. */
  void begin() {
    sentMicros.fill((byte) 0);
    rate = new SendRate();
    startNanos = nanoClock.getAsLong();
    creditNanos = startNanos;
    observedNanos = startNanos;
    nowNanos = startNanos;
    observed = Counts.NONE;
    credit = 0;
    sentBefore += sent;
    sent = 0;
    answered = 0;
    idleNanos = 0;
    slot = 0;
    latencies = null;
    droppedBefore = drops.getAsLong();
  }

  /** From now on latencies go there, or nowhere. */
  void record(@Nullable Latencies into) {
    latencies = into;
  }

  Counts counts() {
    return new Counts(
        nowNanos - startNanos, sent, answered, drops.getAsLong() - droppedBefore, idleNanos);
  }

  /** Sends what may be sent and receives what has come; false when all has been sent. */
  boolean step() {
    long now = nanoClock.getAsLong();
    nowNanos = now;
    credit = Math.min(MOST_AT_ONCE, credit + (now - creditNanos) * rate.perSecond() / 1e9);
    creditNanos = now;
    int block = Blocks.of(ahead.deviceOf(slot));
    int length = Math.min(blocks.length(block), ahead.slots() - slot);
    int received;
    if (credit >= length) {
      credit -= length;
      send(blocks.socket(block), length, (int) ((now - startNanos) / 1000));
      received = length + sockets.receive(blocks.socket(block), receiver);
    } else {
      received = receiveSomewhere();
    }
    if (received == 0) {
      idleNanos += nanoClock.getAsLong() - now;
    }
    if (now - observedNanos >= OBSERVED_EVERY_NANOS) {
      observe(now);
    }
    return slot < ahead.slots();
  }

  private void send(int socket, int length, int micros) {
    for (int i = 0; i < length; i++) {
      sentMicros.setAtIndex(INT, slot + i, Math.max(1, micros));
    }
    int left = sockets.send(socket, ahead.bytes(), ahead.offset(slot), length, kind.bytes());
    sent += left;
    notTaken += length - left;
    slot += length;
  }

  /** Looks at the sockets in turn. */
  int receiveSomewhere() {
    poll = poll + 1 < sockets.count() ? poll + 1 : 0;
    return sockets.receive(poll, receiver);
  }

  private void observe(long now) {
    Counts counts = kind.isAnswered() ? new Counts(0, sent, answered, 0, 0) : counts();
    Counts since = counts.minus(observed);
    long taken = kind.isAnswered() ? since.answered() : since.sent() - since.dropped();
    rate.observe(since.sent(), taken, now - observedNanos);
    observed = counts;
    observedNanos = now;
  }

  private void onDatagram(int socket, byte[] bytes, int length) {
    if (fleet == null) {
      onStun(bytes, length);
      return;
    }
    if (reader.read(bytes, length) != null || reader.type() != DatagramType.KEEPALIVE_ANSWER) {
      other++;
      return;
    }
    int of = fleet.slotOf(reader);
    int micros = of < 0 || of >= ahead.slots() ? 0 : take(of);
    if (micros == 0) {
      other++;
      return;
    }
    int device = ahead.deviceOf(of);
    Fleet.Answer answer =
        answered % CHECKED_ANSWERS == 0
            ? fleet.onAnswer(device, reader)
            : fleet.obey(device, reader);
    switch (answer) {
      case ACCEPTED -> accepted(micros);
      case UNPROVEN -> unproven++;
      case STALE -> stale++;
      case FORGED -> forged++;
    }
  }

  private void onStun(byte[] bytes, int length) {
    if (length < DatagramReader.STUN_HEADER_BYTES
        || (bytes[0] << 8 | (bytes[1] & 0xFF)) != STUN_ANSWER) {
      other++;
      return;
    }
    int of = MemorySegment.ofArray(bytes).get(INT_BE, 8);
    int micros = of < 0 || of >= ahead.slots() ? 0 : take(of);
    if (micros == 0) {
      other++;
      return;
    }
    accepted(micros);
  }

  /** When the slot's datagram was sent, if this is the first answer to it; else 0. */
  private int take(int of) {
    int micros = sentMicros.getAtIndex(INT, of);
    sentMicros.setAtIndex(INT, of, 0);
    return micros;
  }

  /** Only these have a latency: a refusal costs the server less. */
  private void accepted(int micros) {
    answered++;
    if (latencies != null) {
      latencies.record(nanoClock.getAsLong() - startNanos - micros * 1000L);
    }
  }

  /** Datagrams that have left since the start, in all windows. */
  long sentInAll() {
    return sentBefore + sent;
  }

  /** Datagrams since the start that this machine's kernel did not send, its buffers being full. */
  long notTaken() {
    return notTaken;
  }

  /** Answers since the start that asked to prove the address. */
  long unproven() {
    return unproven;
  }

  /** Answers since the start that said the sequence was old. */
  long stale() {
    return stale;
  }

  /** Answers since the start that failed their check, of those that were checked. */
  long forged() {
    return forged;
  }

  /** Other datagrams since the start: wakes, and second answers. */
  long other() {
    return other;
  }
}
