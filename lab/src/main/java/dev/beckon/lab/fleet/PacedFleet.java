package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.Wake;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/**
 * Devices that send a keepalive every interval, evenly spread, as the protocol wants it (docs/
 * PROTOCOL.md): unanswered requests again after 0.5, 1.5 and 3.5 s, above 25 s every 4th once more
 * after 3 s, at once what an answer asks for; wakes are answered and acted on. Of one-way
 * keepalives every 4th is a request.
 *
 * <p>Neighbours that share a socket are in step, so that they can leave together. {@link #step}
 * does what is due. Not thread-safe.
 */
final class PacedFleet {
  private static final long[] REPEATED_AFTER_NANOS = {
    TimeUnit.MILLISECONDS.toNanos(500),
    TimeUnit.MILLISECONDS.toNanos(1_500),
    TimeUnit.MILLISECONDS.toNanos(3_500)
  };

  /** The last repetition is given as long as the first one. */
  private static final long UNANSWERED_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(4_000);

  /** Above this interval every 4th keepalive is followed by another one after 3 s. */
  private static final int FOLLOWED_ABOVE_SECONDS = 25;

  private static final long FOLLOWED_AFTER_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final int EVERY = 4;

  /** So many keepalives may follow an answer at once within one interval. */
  private static final int MAX_PROMPT = 3;

  /** Batches in one step, so that answers are never left waiting for long. */
  private static final int BATCHES_PER_STEP = 8;

  /** Sockets that are looked at in one step besides those that something was sent from. */
  private static final int LOOKED_AT = 8;

  private final Fleet fleet;
  private final LoadKind kind;
  private final Blocks blocks;
  private final SourceSockets sockets;
  private final SessionDialler dialler;
  private final InstantSource clock;
  private final Latencies latencies;
  private final WakeCheck wakeCheck;
  private final boolean follows;
  private final PaceCursor main;
  private final PaceCursor followed;
  private final PaceCursor[] repetitions = new PaceCursor[REPEATED_AFTER_NANOS.length];
  private final PaceCursor givenUp;

  private final DatagramReader reader = new DatagramReader();
  private final SourceSockets.Receiver receiver = this::onDatagram;
  private final MemorySegment batch;
  private final MemorySegment single;
  private int batched;
  private LoadKind batchKind = LoadKind.KEEPALIVE;
  private int batchSocket;

  private final int[] recent = new int[BATCHES_PER_STEP];
  private int recentNext;
  private int poll;
  private long stepNanos;
  private boolean finished;

  /** Server's clock less ours, by the newest answer. */
  private long aheadMillis;

  private long requests;
  private long repeated;
  private long oneWay;
  private long answered;
  private long unanswered;
  private long unproven;
  private long stale;
  private long forged;
  private long other;
  private long wakes;
  private long wakesRepeated;
  private long wakesRefused;
  private long latestNanos;
  private long idleNanos;

  /**
   * Begins.
   *
   * @param devices so many, the first ones of the fleet
   * @param kind not {@link LoadKind#STUN}
   * @param latencies from when a keepalive was due until its answer
   */
  PacedFleet(
      Arena arena,
      Fleet fleet,
      int devices,
      LoadKind kind,
      int intervalSeconds,
      Blocks blocks,
      SourceSockets sockets,
      SessionDialler dialler,
      Latencies latencies,
      long startNanos,
      InstantSource clock) {
    this.fleet = fleet;
    this.kind = kind;
    this.blocks = blocks;
    this.sockets = sockets;
    this.dialler = dialler;
    this.latencies = latencies;
    this.clock = clock;
    wakeCheck = new WakeCheck(fleet);
    follows = intervalSeconds > FOLLOWED_ABOVE_SECONDS && kind == LoadKind.KEEPALIVE;
    long intervalNanos = TimeUnit.SECONDS.toNanos(intervalSeconds);
    main = new PaceCursor(devices, intervalNanos, startNanos);
    followed = new PaceCursor(devices, intervalNanos, startNanos + FOLLOWED_AFTER_NANOS);
    for (int i = 0; i < repetitions.length; i++) {
      repetitions[i] = new PaceCursor(devices, intervalNanos, startNanos + REPEATED_AFTER_NANOS[i]);
    }
    givenUp = new PaceCursor(devices, intervalNanos, startNanos + UNANSWERED_AFTER_NANOS);
    batch = arena.allocate((long) SourceSockets.BATCH * LoadKind.KEEPALIVE.bytes(), 64);
    single = arena.allocate(DatagramReader.MAX_BYTES, 64);
  }

  /** From now on no device begins another interval; what was begun goes on. */
  void finish() {
    finished = true;
  }

  /** Whether requests are unanswered that are not given up yet. */
  boolean isWaiting() {
    return requests - answered - unanswered > 0;
  }

  /** When the next keepalive is due. */
  long nextNanos() {
    return main.dueNanos();
  }

  /** Does what is due, and what came; false if that was nothing. */
  boolean step(long nowNanos) {
    stepNanos = nowNanos;
    boolean worked = sendDue(nowNanos);
    int received = 0;
    for (int i = 0; i < recent.length; i++) {
      received += sockets.receive(recent[i], receiver);
    }
    for (int i = 0; i < LOOKED_AT; i++) {
      poll = poll + 1 < sockets.count() ? poll + 1 : 0;
      received += sockets.receive(poll, receiver);
    }
    return worked || received > 0;
  }

  /** So long there was nothing to do. */
  void idle(long nanos) {
    idleNanos += nanos;
  }

  private boolean sendDue(long nowNanos) {
    long turns = 0;
    long most = (long) BATCHES_PER_STEP * SourceSockets.BATCH;
    for (; !finished && turns < most && main.isDue(nowNanos); main.next()) {
      long late = nowNanos - main.dueNanos();
      latestNanos = Math.max(latestNanos, late);
      keepalive(main, kindOf(main), main.dueNanos());
      turns++;
    }
    for (; turns < most && isBehind(followed, nowNanos); followed.next()) {
      if (follows && isFollowed(followed)) {
        keepalive(followed, LoadKind.KEEPALIVE, followed.dueNanos());
      }
      turns++;
    }
    for (PaceCursor repetition : repetitions) {
      for (; turns < most && isBehind(repetition, nowNanos); repetition.next()) {
        repeat(repetition.device());
        turns++;
      }
    }
    for (; turns < most && isBehind(givenUp, nowNanos); givenUp.next()) {
      if (fleet.isWaiting(givenUp.device())) {
        fleet.giveUp(givenUp.device());
        unanswered++;
      }
      turns++;
    }
    flush();
    return turns > 0;
  }

  /**
   * How many keepalives per second such devices send.
   *
   * @param intervalSeconds of each
   */
  static double perSecond(int devices, int intervalSeconds) {
    double followed = intervalSeconds > FOLLOWED_ABOVE_SECONDS ? 1.0 / EVERY : 0;
    return devices * (1 + followed) / intervalSeconds;
  }

  /** A following cursor never overtakes the first one. */
  private boolean isBehind(PaceCursor cursor, long nowNanos) {
    return cursor.turn() < main.turn() && cursor.isDue(nowNanos);
  }

  /** All of a block are in step, so that they have the same length. */
  private LoadKind kindOf(PaceCursor cursor) {
    boolean request = (Blocks.of(cursor.device()) + cursor.round()) % EVERY == 0;
    return kind == LoadKind.ONE_WAY && !request ? LoadKind.ONE_WAY : LoadKind.KEEPALIVE;
  }

  private boolean isFollowed(PaceCursor cursor) {
    return (Blocks.of(cursor.device()) + cursor.round()) % EVERY == 0;
  }

  private void keepalive(PaceCursor cursor, LoadKind as, long dueNanos) {
    int device = cursor.device();
    if (fleet.isWaiting(device)) {
      unanswered++; // an interval shorter than 4 s, or a following one
    }
    fleet.resetPrompt(device);
    long at = place(device, as);
    fleet.write(device, as, device, clock.millis(), dueNanos, batch, at);
    if (as == LoadKind.ONE_WAY) {
      oneWay++;
    } else {
      requests++;
    }
  }

  private void repeat(int device) {
    if (fleet.isWaiting(device)) {
      fleet.rewrite(device, LoadKind.KEEPALIVE, device, batch, place(device, LoadKind.KEEPALIVE));
      repeated++;
    }
  }

  /**
   * Where the device's next datagram is to be written: it leaves with those before it if it can.
   */
  private long place(int device, LoadKind as) {
    int socket = blocks.socket(Blocks.of(device));
    if (batched == SourceSockets.BATCH || socket != batchSocket || as != batchKind) {
      flush();
    }
    batchSocket = socket;
    batchKind = as;
    return (long) batched++ * as.bytes();
  }

  private void flush() {
    if (batched > 0) {
      sockets.send(batchSocket, batch, 0, batched, batchKind.bytes());
      recent[recentNext++ % recent.length] = batchSocket;
      batched = 0;
    }
  }

  private void onDatagram(int socket, byte[] bytes, int length) {
    if (reader.read(bytes, length) != null) {
      other++;
      return;
    }
    switch (reader.type()) {
      case KEEPALIVE_ANSWER -> onAnswer(socket);
      case WAKE -> onWake(socket);
      default -> other++;
    }
  }

  private void onAnswer(int socket) {
    int device = fleet.slotOf(reader);
    if (device < 0
        || device >= fleet.size()
        || !fleet.isForNewest(device, reader)
        || !fleet.isWaiting(device)) {
      other++;
      return;
    }
    Fleet.Answer answer = fleet.onAnswer(device, reader);
    if (answer == Fleet.Answer.FORGED) {
      forged++;
      return;
    }
    answered++;
    aheadMillis = reader.serverTimeMillis() - clock.millis();
    latencies.record(stepNanos - fleet.dueNanos(device));
    if (answer == Fleet.Answer.UNPROVEN) {
      unproven++;
      promptly(socket, device);
    } else if (answer == Fleet.Answer.STALE) {
      stale++;
      promptly(socket, device);
    }
  }

  private void promptly(int socket, int device) {
    if (fleet.prompt(device) <= MAX_PROMPT) {
      fleet.write(device, LoadKind.KEEPALIVE, device, clock.millis(), stepNanos, single, 0);
      sockets.send(socket, single, 0, 1, LoadKind.KEEPALIVE.bytes());
      requests++;
    }
  }

  private void onWake(int socket) {
    int device = fleet.deviceOf(reader.bytes(), reader.deviceIdOffset(), reader.deviceIdLength());
    WakeCheck.Verdict verdict =
        device < 0
            ? WakeCheck.Verdict.REFUSED
            : wakeCheck.onWake(reader, device, clock.millis() + aheadMillis);
    if (verdict == WakeCheck.Verdict.REFUSED) {
      wakesRefused++;
      return;
    }
    int length = fleet.writeWakeAnswer(device, reader, single, 0);
    sockets.send(socket, single, 0, 1, length);
    if (verdict == WakeCheck.Verdict.REPEATED) {
      wakesRepeated++;
      return;
    }
    wakes++;
    if (reader.serverNumber() == Wake.RENDEZVOUS_SERVER) {
      dialler.dial(device, reader.wakeId(), reader.dialBackDelayMillis());
    }
  }

  PaceCounts counts() {
    return new PaceCounts(
        requests,
        repeated,
        oneWay,
        answered,
        unanswered,
        unproven,
        stale,
        forged,
        other,
        wakes,
        wakesRepeated,
        wakesRefused,
        latestNanos,
        idleNanos);
  }
}
