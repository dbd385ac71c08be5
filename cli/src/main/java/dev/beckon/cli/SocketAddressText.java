package dev.beckon.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/** Addresses to listen on as people write them: {@code 192.0.2.1:3478}, {@code [::1]:3478}. */
final class SocketAddressText {

  static final String EXPECTED =
      "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080; port 0 to 65535";

  private SocketAddressText() {}

  /** The address, or nothing if the text is none or its host is not known. */
  static Optional<InetSocketAddress> parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      return Optional.empty();
    }
    String host = text.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (bracketed) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      return Optional.empty();
    }
    String digits = text.substring(colon + 1);
    if (host.isEmpty() || !digits.matches("[0-9]{1,5}") || Integer.parseInt(digits) > 65535) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(digits)));
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }
}
