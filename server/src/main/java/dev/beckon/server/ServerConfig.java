package dev.beckon.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an operator chooses about a server. A port of 0 means any free one; {@link Server} tells
 * which it became.
 *
 * @param data folder of keys, certificates and commands; made if it is missing
 * @param udp local addresses for keepalives and wakes; empty means every address of this host, port
 *     3478
 * @param tls address for sessions and enrollment; may be a wildcard
 * @param http address of the API and the console
 * @param advertise name or address under which devices reach this server; null means the source
 *     address of the default route
 * @param publicStun whether strangers' STUN Binding requests are answered
 * @param insecure whether the API may be offered without TLS on an address other than loopback
 */
public record ServerConfig(
    Path data,
    List<InetSocketAddress> udp,
    InetSocketAddress tls,
    InetSocketAddress http,
    @Nullable String advertise,
    boolean publicStun,
    boolean insecure) {

  /** IANA's port for STUN; the datagrams are STUN. */
  public static final int DEFAULT_UDP_PORT = 3478;

  /** IANA's port for STUN over TLS; nothing else of ours needs TCP. */
  public static final int DEFAULT_TLS_PORT = 5349;

  public static final int DEFAULT_HTTP_PORT = 8080;

  public ServerConfig {
    udp = List.copyOf(udp);
  }
}
