package dev.beckon.device;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The device's UDP socket to its server.
 *
 * <p>Connected: the system then lets only the server's datagrams in (a wake comes from the very
 * address that keepalives go to), and nothing on the device listens for anybody else. Names are
 * resolved on a thread of their own, because that may take long.
 *
 * <p>Not thread-safe; owned by the datagrams' thread.
 */
final class ServerLink implements AutoCloseable {
  /** Told when a new socket is open. */
  interface OnOpen {
    void accept(InetSocketAddress local, InetSocketAddress server, String why);
  }

  /** Gets a datagram; the bytes are valid during the call only. */
  interface OnDatagram {
    void accept(byte[] bytes, int length);
  }

  private static final System.Logger LOG = System.getLogger("dev.beckon.device");

  /** Longer than any datagram of the protocol; a longer one is cut off and then not authentic. */
  private static final int MAX_DATAGRAM_BYTES = 2_048;

  /** Datagrams read in one turn, so that a flood does not keep keepalives from being sent. */
  private static final int MAX_PER_TURN = 64;

  /** What the resolver said; null inside if it found nothing. */
  private record Answer(HostAddresses.@Nullable Found found) {}

  private final InetSocketAddress host;
  private final HostAddresses hosts;
  private final Selector selector;
  private final OnOpen onOpen;
  private final Consumer<String> onUnresolved;
  private final ByteBuffer buffer = ByteBuffer.allocate(MAX_DATAGRAM_BYTES);
  private final AtomicReference<@Nullable Answer> resolved = new AtomicReference<>();

  private List<InetAddress> addresses = List.of();
  private HostAddresses.@Nullable Found unconfirmed;
  private int turn;
  private @Nullable DatagramChannel channel;
  private @Nullable InetSocketAddress local;
  private @Nullable InetSocketAddress server;
  private boolean sendFailed;
  private boolean resolving;
  private boolean unresolved; // and that was told
  private @Nullable String wanted; // why a socket is wanted that is not open

  /**
   * @param host name and port of the server, not resolved
   * @param onUnresolved told the name once per outage, if no address of it is known
   */
  ServerLink(
      InetSocketAddress host,
      HostAddresses hosts,
      Selector selector,
      OnOpen onOpen,
      Consumer<String> onUnresolved) {
    this.host = host;
    this.onUnresolved = onUnresolved;
    this.hosts = hosts;
    this.selector = selector;
    this.onOpen = onOpen;
  }

  /** The server's address, null before the first socket. */
  @Nullable InetSocketAddress server() {
    return server;
  }

  /**
   * Opens a new socket instead of the present one.
   *
   * @param why one word
   * @param resolve whether to look the server's name up first; else the addresses known are used
   */
  void open(String why, boolean resolve) {
    wanted = why;
    if (resolve || addresses.isEmpty()) {
      resolveLater();
    } else {
      openNow();
    }
  }

  /** Whether a datagram could not be sent since the last call. */
  boolean takeSendFailure() {
    boolean failed = sendFailed;
    sendFailed = false;
    return failed;
  }

  /**
   * Looks whether the way to the server still begins at the socket's local address, and opens
   * another socket if not.
   */
  void check() {
    if (resolving) {
      return;
    }
    if (wanted != null) {
      open(wanted, addresses.isEmpty());
      return;
    }
    InetSocketAddress target = server;
    InetSocketAddress from = local;
    if (target == null || from == null) {
      return;
    }
    try (DatagramChannel probe = connect(target)) {
      InetSocketAddress now = (InetSocketAddress) probe.getLocalAddress();
      if (!now.getAddress().equals(from.getAddress())) {
        open("address-changed", true);
      }
    } catch (IOException e) {
      wanted = "network-back"; // no way to the server now; looked at again at the next check
    }
  }

  /** The server answered authentically: its addresses are good. */
  void confirm() {
    HostAddresses.Found found = unconfirmed;
    InetSocketAddress target = server;
    if (found != null && target != null) {
      unconfirmed = null;
      // This thread must not wait for the disk.
      inBackground(() -> hosts.good(found, target.getAddress()));
    }
  }

  void send(byte[] bytes) {
    DatagramChannel open = channel;
    if (open == null) {
      return;
    }
    try {
      open.write(ByteBuffer.wrap(bytes));
    } catch (PortUnreachableException e) {
      // ICMP changes nothing: anybody can send it, and a server that restarts makes it come.
    } catch (IOException e) {
      sendFailed = true;
    }
  }

  /** Passes on what has arrived. */
  void receive(OnDatagram onDatagram) {
    Answer answer = resolved.getAndSet(null);
    if (answer != null) {
      resolving = false;
      HostAddresses.Found found = answer.found();
      if (found != null) {
        addresses = found.addresses();
        unconfirmed = found;
        unresolved = false;
      } else if (!unresolved && addresses.isEmpty()) {
        unresolved = true;
        onUnresolved.accept(host.getHostString());
      }
      openNow();
    }
    for (int i = 0; i < MAX_PER_TURN; i++) {
      DatagramChannel open = channel;
      if (open == null) {
        return;
      }
      buffer.clear();
      try {
        if (open.read(buffer) <= 0) {
          return;
        }
      } catch (IOException e) {
        continue; // ICMP again
      }
      onDatagram.accept(buffer.array(), buffer.position());
    }
    selector.wakeup(); // there may be more
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
  }

  private void resolveLater() {
    if (resolving) {
      return;
    }
    resolving = true;
    inBackground(
        () -> {
          HostAddresses.Found found = null;
          try {
            found = hosts.find(host.getHostString());
          } catch (UnknownHostException e) {
            // The next check asks again.
          } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, e.getMessage()); // each check: it is for labs
          }
          resolved.set(new Answer(found));
          selector.wakeup();
        });
  }

  private static void inBackground(Runnable task) {
    Thread resolver = new Thread(task, "beckon-resolver");
    resolver.setDaemon(true);
    resolver.start();
  }

  private void openNow() {
    String why = wanted;
    if (why == null || addresses.isEmpty()) {
      return; // the next check tries again
    }
    // Each new socket tries the next address: the one before was silent, or had no way to it.
    for (int i = 0; i < addresses.size(); i++) {
      InetSocketAddress target =
          new InetSocketAddress(
              addresses.get(Math.floorMod(turn++, addresses.size())), host.getPort());
      try {
        DatagramChannel fresh = connect(target);
        fresh.configureBlocking(false);
        fresh.register(selector, SelectionKey.OP_READ);
        close();
        channel = fresh;
        server = target;
        InetSocketAddress from = (InetSocketAddress) fresh.getLocalAddress();
        local = from;
        wanted = null;
        sendFailed = false;
        onOpen.accept(from, target, why);
        return;
      } catch (IOException e) {
        // No way to that address: the next one, or the next check.
      }
    }
  }

  private static DatagramChannel connect(InetSocketAddress target) throws IOException {
    DatagramChannel channel =
        DatagramChannel.open(
            target.getAddress() instanceof Inet4Address
                ? StandardProtocolFamily.INET
                : StandardProtocolFamily.INET6);
    try {
      channel.connect(target);
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }
}
