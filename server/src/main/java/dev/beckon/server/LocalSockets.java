package dev.beckon.server;

import dev.beckon.server.registrar.file.BindingFiles;
import dev.beckon.server.udp.DatagramHandler;
import dev.beckon.server.udp.LocalAddresses;
import dev.beckon.server.udp.Outbox;
import dev.beckon.server.udp.UdpSocket;
import dev.beckon.server.udp.UdpTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UDP sockets of a server, and the numbers by which bindings refer to them. */
final class LocalSockets {
  private static final Logger log = LoggerFactory.getLogger(LocalSockets.class);

  /**
   * System property: how many threads receive on each local address, with a socket each. One does
   * what a core can; more are for machines with cores to spare.
   */
  private static final String THREADS = "beckon.udp.threads";

  private final List<UdpSocket> sockets;
  private final int[] numbers;

  private LocalSockets(List<UdpSocket> sockets, int[] numbers) {
    this.sockets = sockets;
    this.numbers = numbers;
  }

  /**
   * Binds the configured addresses; they take nothing yet.
   *
   * @throws IOException with a message for people if an address cannot be had
   */
  static LocalSockets bind(Ground ground, BindingFiles bindings) throws IOException {
    List<InetSocketAddress> addresses = new ArrayList<>(ground.config().udp());
    if (addresses.isEmpty()) {
      for (InetAddress address : LocalAddresses.all()) {
        addresses.add(new InetSocketAddress(address, ServerConfig.DEFAULT_UDP_PORT));
      }
    }
    LabGuard.check(ground.config(), "--udp", addresses);
    UdpTransport transport = UdpTransport.best();
    int threads = Math.max(1, Integer.getInteger(THREADS, 1));
    log.debug("udp: {}, {} thread(s) per address", transport, threads);
    List<UdpSocket> sockets = new ArrayList<>();
    for (InetSocketAddress address : addresses) {
      UdpSocket first = ground.opened().add(UdpSocket.bind(address, transport, threads > 1));
      sockets.add(first);
      for (int i = 1; i < threads; i++) {
        sockets.add(ground.opened().add(UdpSocket.bind(first.localAddress(), transport, true)));
      }
    }
    int[] numbers = bindings.numbers(sockets.stream().map(UdpSocket::localAddress).toList());
    return new LocalSockets(sockets, numbers);
  }

  /** Starts to receive, with a handler for each socket, made for the socket's number. */
  void start(IntFunction<DatagramHandler> handlers, Ground ground) {
    for (int i = 0; i < sockets.size(); i++) {
      sockets.get(i).start(handlers.apply(numbers[i]), ground.nanoClock(), ground.clock());
    }
  }

  /** By number; null where the address is no longer ours. */
  List<@Nullable Outbox> byNumber() {
    int most = Arrays.stream(numbers).max().orElse(-1);
    List<@Nullable Outbox> byNumber = new ArrayList<>();
    for (int number = 0; number <= most; number++) {
      byNumber.add(null);
    }
    for (int i = 0; i < numbers.length; i++) {
      byNumber.set(numbers[i], sockets.get(i));
    }
    return byNumber;
  }

  boolean has(int number) {
    return Arrays.stream(numbers).anyMatch(each -> each == number);
  }

  /** Each address once, with its real port. */
  List<InetSocketAddress> addresses() {
    return sockets.stream().map(UdpSocket::localAddress).distinct().toList();
  }

  long sendFailures() {
    return sockets.stream().mapToLong(UdpSocket::sendFailures).sum();
  }

  long receiveFailures() {
    return sockets.stream().mapToLong(UdpSocket::receiveFailures).sum();
  }
}
