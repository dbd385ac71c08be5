package dev.beckon.device;

import java.net.InetSocketAddress;

/** {@code host:port} as text, an IPv6 address in brackets. */
final class HostPort {
  private HostPort() {}

  /**
   * The address, not resolved.
   *
   * @throws IllegalArgumentException if the text is none
   */
  static InetSocketAddress parse(String name, String text) {
    int colon = text.lastIndexOf(':');
    String host = colon < 0 ? "" : text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      host = "";
    }
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      if (!host.isEmpty() && port > 0) {
        return InetSocketAddress.createUnresolved(host, port);
      }
    } catch (IllegalArgumentException e) {
      // told below
    }
    throw new IllegalArgumentException(
        name + ": " + text + " (expected host:port, an IPv6 address in brackets)");
  }
}
