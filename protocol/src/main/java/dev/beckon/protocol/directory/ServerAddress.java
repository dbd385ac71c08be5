package dev.beckon.protocol.directory;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;

/**
 * Where a server is, as an entry of the directory says it: an address, an address and a port, a
 * host name with or without a port, or a URL. Of a URL only host and port count.
 *
 * @param host name or address; IPv6 without brackets
 * @param port 1 to 65535
 */
public record ServerAddress(String host, int port) {

  /** The port of sessions, where an entry names none. */
  public static final int DEFAULT_PORT = 5349;

  private static final Map<String, Integer> PORTS_OF_SCHEMES =
      Map.of("beckon", DEFAULT_PORT, "https", 443);

  private static final int MAX_CHARS = 1_000;
  private static final int MAX_HOST_CHARS = 253; // of a DNS name, RFC 1035 section 2.3.4

  public ServerAddress {
    if (!isHost(host)) {
      throw new IllegalArgumentException("host: " + host + " (expected a DNS name or an address)");
    }
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("port: " + port + " (expected 1 to 65535)");
    }
  }

  /**
   * Reads an entry's address.
   *
   * @throws IllegalArgumentException if it is none; the message says what is expected
   */
  public static ServerAddress parse(String text) {
    if (text.length() <= MAX_CHARS) {
      try {
        return text.contains("://") ? ofUrl(text) : ofAuthority(text, DEFAULT_PORT);
      } catch (IllegalArgumentException | URISyntaxException e) {
        // told below
      }
    }
    throw new IllegalArgumentException(
        "address: "
            + (text.length() <= MAX_CHARS ? text : text.length() + " characters")
            + " (expected ADDRESS, ADDRESS:PORT, HOST, HOST:PORT, beckon://HOST or https://HOST;"
            + " IPv6 in brackets)");
  }

  private static ServerAddress ofUrl(String text) throws URISyntaxException {
    URI url = new URI(text);
    Integer port = PORTS_OF_SCHEMES.get(url.getScheme());
    if (port == null || url.getRawAuthority() == null || url.getRawUserInfo() != null) {
      throw new IllegalArgumentException("not a server's URL");
    }
    return ofAuthority(url.getRawAuthority(), port);
  }

  private static ServerAddress ofAuthority(String text, int defaultPort) {
    int colon = text.lastIndexOf(':');
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      if (end < 0 || (end != text.length() - 1 && colon != end + 1)) {
        throw new IllegalArgumentException("brackets");
      }
      String inner = text.substring(1, end);
      if (inner.indexOf(':') < 0) {
        throw new IllegalArgumentException("brackets are for IPv6");
      }
      return new ServerAddress(
          inner, end == text.length() - 1 ? defaultPort : port(text.substring(colon + 1)));
    }
    String host = colon < 0 ? text : text.substring(0, colon);
    if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("IPv6 without brackets");
    }
    return new ServerAddress(host, colon < 0 ? defaultPort : port(text.substring(colon + 1)));
  }

  private static int port(String digits) {
    if (!digits.matches("[0-9]{1,5}")) {
      throw new IllegalArgumentException("port");
    }
    return Integer.parseInt(digits);
  }

  /** Letters, digits, dots, hyphens and underscores; or the characters of an IPv6 address. */
  private static boolean isHost(String host) {
    if (host.length() > MAX_HOST_CHARS) {
      return false;
    }
    return host.indexOf(':') >= 0
        ? host.matches("[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9]{1,16})?")
        : host.matches("[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?");
  }

  /** As an entry would say it, with the port. */
  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
