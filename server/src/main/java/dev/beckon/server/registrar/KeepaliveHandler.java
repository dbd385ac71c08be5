package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.Malformation;
import dev.beckon.server.registrar.DatagramCounters.Event;
import dev.beckon.server.udp.Batch;
import dev.beckon.server.udp.DatagramHandler;
import dev.beckon.server.udp.Outbox;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A datagram's way through the server: decode, authenticate, update the registrar, answer.
 *
 * <p>No row is touched, and nothing is written, allocated or answered, before the integrity is
 * proven; what fails is counted and dropped. One instance per socket, for it keeps the buffers of
 * its thread.
 */
public final class KeepaliveHandler implements DatagramHandler {
  private final int socket;
  private final Registrar registrar;
  private final Authenticator authenticator;
  private final DeniedGenerations denied;
  private final PathTokens pathTokens;
  private final PublicStun publicStun;
  private final OutstandingWakes wakes;
  private final LongSupplier directoryVersion;
  private final DatagramCounters counters;

  // Between admission and handling, one for each of a batch; the first for one that comes alone.
  private final DatagramReader[] readers = new DatagramReader[Batch.CAPACITY];
  private final boolean[] admitted = new boolean[Batch.CAPACITY];
  private final long[] tags = new long[Batch.CAPACITY];
  private final byte[] devices = new byte[Batch.CAPACITY * Authenticator.KEPT_BYTES];

  private final long[] wanted = new long[Batch.CAPACITY];

  /** Nobody reads it; without it the compiler would leave out the loads of a fetch. */
  @SuppressWarnings("unused")
  private long fetched;

  private final DatagramWriter writer = new DatagramWriter();
  private final Binding arrived = new Binding();
  private final Binding row = new Binding();

  /**
   * @param socket number of the socket whose datagrams these are
   * @param authenticator of this socket's thread alone
   * @param pathTokenKey 16 secret bytes
   * @param directoryVersion of the list that devices can get; asked for each answer
   */
  public KeepaliveHandler(
      int socket,
      Registrar registrar,
      Authenticator authenticator,
      DeniedGenerations denied,
      byte[] pathTokenKey,
      PublicStun publicStun,
      OutstandingWakes wakes,
      LongSupplier directoryVersion,
      DatagramCounters counters) {
    this.socket = socket;
    this.registrar = registrar;
    this.authenticator = authenticator;
    Arrays.setAll(readers, i -> authenticator.newReader());
    this.denied = denied;
    this.pathTokens = new PathTokens(pathTokenKey);
    this.publicStun = publicStun;
    this.wakes = wakes;
    this.directoryVersion = directoryVersion;
    this.counters = counters;
  }

  @Override
  public void onDatagram(
      byte[] bytes,
      int length,
      long addressHigh,
      long addressLow,
      int port,
      long nowNanos,
      long nowMillis,
      Outbox outbox) {
    if (admits(0, bytes, length)) {
      handle(0, addressHigh, addressLow, port, nowNanos, nowMillis, outbox);
    }
  }

  /**
   * Decodes and authenticates all of them before it handles the first: the rows of a large table
   * are in no cache, and memory brings those of many devices in the time that one takes. Only the
   * rows of devices that proved themselves: a row that is not in memory has to come from the disk,
   * and strangers must not make the server wait for that.
   */
  @Override
  public void onBatch(
      Batch batch, long nowNanos, long nowMillis, Outbox outbox, Consumer<Throwable> failed) {
    int size = batch.size();
    int known = 0;
    for (int i = 0; i < size; i++) {
      admitted[i] = false;
      try {
        admitted[i] = admits(i, batch.bytes(i), batch.length(i));
      } catch (Throwable e) {
        failed.accept(e);
      }
      if (admitted[i] && tags[i] != 0) {
        wanted[known++] = tags[i];
      }
    }
    try {
      fetched = registrar.fetch(wanted, known);
    } catch (Throwable e) { // the rows are fetched when they are read
      failed.accept(e);
    }
    for (int i = 0; i < size; i++) {
      if (!admitted[i]) {
        continue;
      }
      try {
        handle(
            i,
            batch.addressHigh(i),
            batch.addressLow(i),
            batch.port(i),
            nowNanos,
            nowMillis,
            outbox);
      } catch (Throwable e) { // an error too may concern one row: a page that cannot be read
        failed.accept(e);
      }
    }
  }

  /**
   * Decodes a datagram; of a keepalive it asks whether it is authentic and its device not denied,
   * and keeps the device. What it does not admit is counted.
   */
  private boolean admits(int i, byte[] bytes, int length) {
    tags[i] = 0;
    DatagramReader reader = readers[i];
    Malformation malformation = reader.read(bytes, length);
    if (malformation != null) {
      counters.count(malformation);
      return false;
    }
    DatagramType type = reader.type();
    if (type != DatagramType.KEEPALIVE && type != DatagramType.ONE_WAY_KEEPALIVE) {
      return true;
    }
    if (!isAuthentic(reader)) {
      return false;
    }
    long tag = registrar.tag(bytes, reader.deviceIdOffset(), reader.deviceIdLength());
    if (denied.denies(tag, reader.generation())) {
      counters.count(Event.DENIED);
      return false;
    }
    tags[i] = tag;
    authenticator.keep(devices, i * Authenticator.KEPT_BYTES);
    return true;
  }

  /** Handles what was admitted. */
  private void handle(
      int i,
      long addressHigh,
      long addressLow,
      int port,
      long nowNanos,
      long nowMillis,
      Outbox outbox) {
    DatagramReader reader = readers[i];
    switch (reader.type()) {
      case KEEPALIVE, ONE_WAY_KEEPALIVE -> {
        arrived.tag = tags[i];
        arrived.addressHigh = addressHigh;
        arrived.addressLow = addressLow;
        arrived.port = port;
        onKeepalive(i, nowNanos, nowMillis, outbox);
      }
      case WAKE_ANSWER -> {
        counters.count(Event.WAKE_ANSWER);
        wakes.wakeAnswered(reader, nowNanos);
      }
      case PLAIN_BINDING_REQUEST -> {
        int answer = publicStun.answer(reader, addressHigh, addressLow, port, nowNanos, writer);
        if (answer > 0) {
          outbox.send(writer.bytes(), answer, addressHigh, addressLow, port);
        }
        counters.count(answer > 0 ? Event.PUBLIC_STUN_ANSWERED : Event.PUBLIC_STUN_DROPPED);
      }
      case KEEPALIVE_ANSWER, WAKE -> counters.count(Event.WRONG_DIRECTION);
    }
  }

  /** Of the device and from the address that {@link #arrived} names. */
  private void onKeepalive(int i, long nowNanos, long nowMillis, Outbox outbox) {
    DatagramReader reader = readers[i];
    arrived.sequence = reader.sequence();
    arrived.keyId = reader.keyId();
    arrived.generation = reader.generation();
    arrived.intervalCode = reader.intervalCode();
    arrived.socket = socket;
    Outcome outcome = registrar.update(arrived, reader.pathToken(), pathTokens, nowMillis, row);
    counters.count(
        switch (outcome) {
          case ACCEPTED -> Event.ACCEPTED;
          case REPEATED -> Event.REPEATED;
          case STALE -> Event.STALE;
          case UNPROVEN -> Event.UNPROVEN;
        });
    if (reader.type() == DatagramType.KEEPALIVE) {
      authenticator.turnBack(devices, i * Authenticator.KEPT_BYTES);
      answer(reader, outcome, nowMillis, outbox);
    }
    boolean proven = outcome == Outcome.ACCEPTED || outcome == Outcome.REPEATED;
    if (proven && (row.flags & Binding.WAKE_OUTSTANDING) != 0) {
      wakes.keepaliveArrived(arrived.tag, reader, nowNanos); // right behind the answer
    }
  }

  private boolean isAuthentic(DatagramReader reader) {
    if (!authenticator.turnTo(
        reader.keyId(),
        reader.bytes(),
        reader.deviceIdOffset(),
        reader.deviceIdLength(),
        reader.generation())) {
      counters.count(Event.UNKNOWN_KEY);
      return false;
    }
    boolean authentic = authenticator.isAuthentic(reader);
    if (!authentic) {
      counters.count(Event.NOT_AUTHENTIC);
    }
    return authentic;
  }

  private void answer(DatagramReader reader, Outcome outcome, long nowMillis, Outbox outbox) {
    int flags =
        switch (outcome) {
          case STALE -> DatagramWriter.FLAG_STALE;
          case UNPROVEN -> DatagramWriter.FLAG_UNPROVEN;
          case ACCEPTED, REPEATED -> 0;
        };
    writer
        .begin(DatagramType.KEEPALIVE_ANSWER, reader.bytes(), reader.transactionIdOffset())
        .mappedAddress(arrived.addressHigh, arrived.addressLow, arrived.port)
        .status(flags, nowMillis, directoryVersion.getAsLong());
    if (outcome == Outcome.STALE) {
      writer.sequence(row.sequence);
    } else {
      writer.pathToken(
          pathTokens.mint(
              arrived.tag, arrived.addressHigh, arrived.addressLow, arrived.port, nowMillis));
    }
    int length = authenticator.finish(writer);
    outbox.send(writer.bytes(), length, arrived.addressHigh, arrived.addressLow, arrived.port);
  }
}
