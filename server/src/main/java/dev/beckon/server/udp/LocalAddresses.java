package dev.beckon.server.udp;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The addresses of this host. */
public final class LocalAddresses {
  /**
   * Of the documentation range (RFC 5737), so surely routed by the default route. Connecting a UDP
   * socket sends nothing; it only makes the kernel choose a source address.
   */
  private static final InetSocketAddress ANYWHERE = new InetSocketAddress("192.0.2.1", 9);

  private static final InetSocketAddress ANYWHERE_IPV6 = new InetSocketAddress("2001:db8::1", 9);

  private LocalAddresses() {}

  /**
   * Every address that devices could send to: all of them but IPv6 link-local ones, which mean
   * nothing without the name of an interface.
   */
  public static List<InetAddress> all() throws IOException {
    List<InetAddress> addresses = new ArrayList<>();
    for (NetworkInterface network : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (network.isUp()) {
        for (InetAddress address : Collections.list(network.getInetAddresses())) {
          if (!address.isLinkLocalAddress() || address.getAddress().length == 4) {
            addresses.add(address);
          }
        }
      }
    }
    return addresses;
  }

  /** The source address of the default route; the loopback address where there is no route. */
  public static InetAddress ofDefaultRoute() {
    for (InetSocketAddress destination : List.of(ANYWHERE, ANYWHERE_IPV6)) {
      try (DatagramSocket socket = new DatagramSocket()) {
        socket.connect(destination);
        InetAddress source = socket.getLocalAddress();
        if (!source.isAnyLocalAddress()) {
          return source;
        }
      } catch (IOException | java.io.UncheckedIOException e) {
        // No route of this family.
      }
    }
    return InetAddress.getLoopbackAddress();
  }
}
