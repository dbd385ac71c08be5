package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.Malformation;
import dev.beckon.server.registrar.DatagramCounters.Event;
import dev.beckon.server.udp.DatagramHandler;
import dev.beckon.server.udp.Outbox;
import java.util.function.LongSupplier;

/**
 * A datagram's way through the server: decode, authenticate, update the registrar, answer.
 *
 * <p>Nothing is written, allocated or answered before the integrity is proven; what fails is
 * counted and dropped. One instance per socket, for it keeps the buffers of its thread.
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

  private final DatagramReader reader;
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
    this.reader = authenticator.newReader();
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
    Malformation malformation = reader.read(bytes, length);
    if (malformation != null) {
      counters.count(malformation);
      return;
    }
    switch (reader.type()) {
      case KEEPALIVE, ONE_WAY_KEEPALIVE ->
          onKeepalive(addressHigh, addressLow, port, nowNanos, nowMillis, outbox);
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

  private void onKeepalive(
      long addressHigh, long addressLow, int port, long nowNanos, long nowMillis, Outbox outbox) {
    if (!isAuthentic()) {
      return;
    }
    arrived.tag = registrar.tag(reader.bytes(), reader.deviceIdOffset(), reader.deviceIdLength());
    if (denied.denies(arrived.tag, reader.generation())) {
      counters.count(Event.DENIED);
      return;
    }
    arrived.sequence = reader.sequence();
    arrived.keyId = reader.keyId();
    arrived.generation = reader.generation();
    arrived.intervalCode = reader.intervalCode();
    arrived.socket = socket;
    arrived.addressHigh = addressHigh;
    arrived.addressLow = addressLow;
    arrived.port = port;
    Outcome outcome = registrar.update(arrived, reader.pathToken(), pathTokens, nowMillis, row);
    counters.count(
        switch (outcome) {
          case ACCEPTED -> Event.ACCEPTED;
          case REPEATED -> Event.REPEATED;
          case STALE -> Event.STALE;
          case UNPROVEN -> Event.UNPROVEN;
        });
    if (reader.type() == DatagramType.KEEPALIVE) {
      answer(outcome, nowMillis, outbox);
    }
    boolean proven = outcome == Outcome.ACCEPTED || outcome == Outcome.REPEATED;
    if (proven && (row.flags & Binding.WAKE_OUTSTANDING) != 0) {
      wakes.keepaliveArrived(arrived.tag, reader, nowNanos); // right behind the answer
    }
  }

  private boolean isAuthentic() {
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

  private void answer(Outcome outcome, long nowMillis, Outbox outbox) {
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
