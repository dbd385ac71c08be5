package dev.beckon.lab.fleet;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.server.registrar.Authenticator;
import dev.beckon.server.registrar.DatagramCounters;
import dev.beckon.server.registrar.DeniedGenerations;
import dev.beckon.server.registrar.KeepaliveHandler;
import dev.beckon.server.registrar.PublicStun;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.registrar.file.BindingFiles;
import dev.beckon.server.udp.Outbox;
import dev.beckon.server.wake.WakeListener;
import dev.beckon.server.wake.Wakes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.NullMarked;

/** The server's own parts, without sockets and clocks: datagrams in, datagrams out. */
@NullMarked
final class MemoryServer implements AutoCloseable {
  static final int KEY_ID = 3;
  static final InetSocketAddress HOME = new InetSocketAddress("203.0.113.1", 40_001);
  static final InetSocketAddress MOVED = new InetSocketAddress("203.0.113.1", 52_002);

  final byte[] masterKey = new byte[DeviceKey.LENGTH];
  final List<byte[]> sent = new ArrayList<>();
  final Wakes wakes;
  final DatagramCounters counters = new DatagramCounters();
  long nowNanos;
  long nowMillis = 1_800_000_000_000L;

  private final BindingFiles bindings;
  private final KeepaliveHandler handler;
  private final List<String> events = new ArrayList<>();
  private final Outbox outbox =
      new Outbox() {
        @Override
        public InetSocketAddress localAddress() {
          return new InetSocketAddress("198.51.100.1", 3478);
        }

        @Override
        public void send(byte[] bytes, int length, long high, long low, int port) {
          sent.add(Arrays.copyOf(bytes, length));
        }
      };

  MemoryServer(Path folder, long seed) {
    Arrays.fill(masterKey, (byte) 0x42);
    bindings = BindingFiles.open(folder, new byte[16]);
    Registrar registrar = new Registrar(bindings.table(), new byte[16]);
    WakeListener listener =
        new WakeListener() {
          @Override
          public void sent(
              DeviceId deviceId,
              int serverNumber,
              long wakeId,
              int transmission,
              InetSocketAddress serverAddress,
              InetSocketAddress mappedAddress) {
            events.add("sent " + deviceId);
          }

          @Override
          public void answered(DeviceId deviceId, int serverNumber, long wakeId) {
            events.add("answered " + deviceId);
          }
        };
    wakes = new Wakes(registrar, authenticator(), List.of(outbox), new Random(seed), listener);
    handler =
        new KeepaliveHandler(
            0,
            registrar,
            authenticator(),
            new DeniedGenerations(),
            new byte[16],
            new PublicStun(false),
            wakes,
            () -> 0,
            counters);
  }

  private Authenticator authenticator() {
    return Authenticator.of(Security.MUTUAL, id -> id == KEY_ID ? masterKey : null);
  }

  void pass(long millis) {
    nowMillis += millis;
    nowNanos += millis * 1_000_000;
  }

  /** What the server sends when this comes. */
  List<byte[]> take(MemorySegment datagram, int length, InetSocketAddress from) {
    sent.clear();
    byte[] bytes = datagram.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    handler.onDatagram(
        bytes,
        length,
        AddressBits.high(from.getAddress()),
        AddressBits.low(from.getAddress()),
        from.getPort(),
        nowNanos,
        nowMillis,
        outbox);
    return List.copyOf(sent);
  }

  /** As {@link #take}, read. */
  DatagramReader answer(MemorySegment datagram, int length, InetSocketAddress from) {
    byte[] only = take(datagram, length, from).getFirst();
    DatagramReader reader = new DatagramReader();
    if (reader.read(only, only.length) != null) {
      throw new AssertionError("malformed");
    }
    return reader;
  }

  List<String> events() {
    return List.copyOf(events);
  }

  long count(String outcome) {
    return counters.snapshot().getOrDefault(outcome, -1L);
  }

  @Override
  public void close() {
    bindings.close();
  }
}
