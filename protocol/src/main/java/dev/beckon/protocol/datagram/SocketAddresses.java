package dev.beckon.protocol.datagram;

import java.net.InetSocketAddress;

/** The text form of an address and port, the same in logs, timelines and the API. */
public final class SocketAddresses {
  private SocketAddresses() {}

  /** {@code 203.0.113.1:3478}, {@code [2001:db8::1]:3478}, or {@code name:3478} if unresolved. */
  public static String format(InetSocketAddress address) {
    String host =
        address.isUnresolved() ? address.getHostString() : address.getAddress().getHostAddress();
    if (host.indexOf(':') >= 0) {
      // Java writes every group; people expect the zeros left out (RFC 5952, section 4.2). A zone
      // (fe80::1%eth0) means nothing on another host.
      host = "[" + host.replaceFirst("%.*", "").replaceFirst("(^|:)0(:0)+(:|$)", "::") + "]";
    }
    return host + ":" + address.getPort();
  }
}
