package dev.beckon.server.registrar;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.protocol.datagram.MalformedDatagramException;
import dev.beckon.server.udp.Batch;
import dev.beckon.server.udp.Outbox;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A registrar with two sockets, keepalives made by hand, and time that stands still until moved.
 */
public final class FakeNetwork {
  /** A datagram that left the server. */
  public record Sent(int socket, InetSocketAddress to, byte[] bytes, Security security) {
    public Datagram decoded() {
      try {
        return Datagram.decode(bytes, bytes.length, security);
      } catch (MalformedDatagramException e) {
        throw new AssertionError(e);
      }
    }
  }

  public static final InetSocketAddress HOME = new InetSocketAddress("203.0.113.1", 40_001);
  public static final InetSocketAddress MOVED = new InetSocketAddress("203.0.113.1", 52_002);
  public static final DeviceId KITCHEN = new DeviceId("kitchen");
  public static final int KEY_ID = 7;

  /** Looking up the master key with this ID fails. */
  static final int FAILING_KEY_ID = 66;

  public final Security security;
  public final byte[] masterKey = new byte[DeviceKey.LENGTH];
  public final List<Sent> sent = new ArrayList<>();
  public final List<Outbox> sockets = List.of(socket(0), socket(1));
  public final Registrar registrar;
  public final DeniedGenerations denied = new DeniedGenerations();
  public volatile long directoryVersion;
  final DatagramCounters counters = new DatagramCounters();
  public final List<Long> arrivals = new ArrayList<>();
  public OutstandingWakes wakes =
      new OutstandingWakes() {
        @Override
        public void keepaliveArrived(long tag, DatagramReader keepalive, long nowNanos) {
          arrivals.add(tag);
        }

        @Override
        public void wakeAnswered(DatagramReader answer, long nowNanos) {}
      };
  public boolean publicStun;
  public long nowNanos;
  public long nowMillis = 1_800_000_000_000L;

  private final Random random = new Random(1);
  private List<KeepaliveHandler> handlers = List.of();

  public FakeNetwork() {
    this(Security.MUTUAL);
  }

  public FakeNetwork(Security security) {
    this(security, new RowTable(new MemoryRows()));
  }

  FakeNetwork(Security security, BindingTable table) {
    this.security = security;
    registrar = new Registrar(table, new byte[16]);
    Arrays.fill(masterKey, (byte) 0x42);
  }

  private Outbox socket(int number) {
    return new Outbox() {
      @Override
      public InetSocketAddress localAddress() {
        return new InetSocketAddress("198.51.100.1", 3478 + number);
      }

      @Override
      public void send(byte[] bytes, int length, long high, long low, int port) {
        InetSocketAddress to = new InetSocketAddress(AddressBits.toAddress(high, low), port);
        sent.add(new Sent(number, to, Arrays.copyOf(bytes, length), security));
      }
    };
  }

  public byte[] deviceKey(DeviceId id) {
    return DeviceKey.derive(masterKey, id, 1);
  }

  public void pass(Duration time) {
    nowNanos += time.toNanos();
    nowMillis += time.toMillis();
  }

  /** What a server here proves datagrams with. */
  public Authenticator authenticator() {
    return Authenticator.of(security, this::masterKey);
  }

  /** The bytes that the device would send. */
  public byte[] encode(Datagram datagram, DeviceId sender) {
    return security.protectsDatagrams()
        ? datagram.encode(deviceKey(sender))
        : datagram.encodeUnprotected();
  }

  public byte @Nullable [] masterKey(int keyId) {
    if (keyId == FAILING_KEY_ID) {
      throw new InternalError("as this test wants it");
    }
    return keyId == KEY_ID ? masterKey : null;
  }

  /** Brings bytes to a socket of the server. */
  public void arrive(int socket, InetSocketAddress from, byte[] bytes) {
    handler(socket)
        .onDatagram(
            bytes,
            bytes.length,
            AddressBits.high(from.getAddress()),
            AddressBits.low(from.getAddress()),
            from.getPort(),
            nowNanos,
            nowMillis,
            sockets.get(socket));
  }

  /** Brings several datagrams at once, each with its source; what failed. */
  List<Throwable> arriveTogether(int socket, List<InetSocketAddress> from, List<byte[]> datagrams) {
    Batch batch = new Batch();
    for (int i = 0; i < datagrams.size(); i++) {
      byte[] bytes = datagrams.get(i);
      System.arraycopy(bytes, 0, batch.room(), 0, bytes.length);
      InetSocketAddress source = from.get(i);
      batch.add(
          bytes.length,
          AddressBits.high(source.getAddress()),
          AddressBits.low(source.getAddress()),
          source.getPort());
    }
    List<Throwable> failures = new ArrayList<>();
    handler(socket).onBatch(batch, nowNanos, nowMillis, sockets.get(socket), failures::add);
    return failures;
  }

  private KeepaliveHandler handler(int socket) {
    if (handlers.isEmpty()) {
      PublicStun stun = new PublicStun(publicStun);
      handlers = new ArrayList<>();
      for (int i = 0; i < sockets.size(); i++) {
        handlers.add(
            new KeepaliveHandler(
                i,
                registrar,
                authenticator(),
                denied,
                new byte[16],
                stun,
                wakes,
                () -> directoryVersion,
                counters));
      }
    }
    return handlers.get(socket);
  }

  public byte[] keepalive(DeviceId id, long sequence, long pathToken, boolean oneWay) {
    byte[] transactionId = new byte[12];
    random.nextBytes(transactionId);
    return encode(
        new Keepalive(transactionId, id, KEY_ID, new Interval(25), 1, sequence, pathToken, oneWay),
        id);
  }

  /** Sends a keepalive to socket 0 and returns its answer. */
  public KeepaliveAnswer ask(DeviceId id, InetSocketAddress from, long sequence, long pathToken) {
    return ask(0, id, from, sequence, pathToken);
  }

  public KeepaliveAnswer ask(
      int socket, DeviceId id, InetSocketAddress from, long sequence, long pathToken) {
    int before = sent.size();
    arrive(socket, from, keepalive(id, sequence, pathToken, false));
    return (KeepaliveAnswer) sent.get(before).decoded();
  }

  /** Registers a device the whole way: keepalive, token, echo. */
  public KeepaliveAnswer register(DeviceId id, InetSocketAddress from, long sequence) {
    long token = ask(id, from, sequence - 1, 0).pathToken();
    return ask(id, from, sequence, token);
  }

  public long count(String event) {
    return counters.snapshot().getOrDefault(event, -1L);
  }
}
