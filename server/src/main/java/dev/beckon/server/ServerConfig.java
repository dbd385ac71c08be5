package dev.beckon.server;

import dev.beckon.protocol.Security;
import dev.beckon.server.command.Commands;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an operator chooses about a server. A port of 0 means any free one; {@link Server} tells
 * which it became.
 *
 * @param data folder of keys, certificates and commands; made if it is missing
 * @param roles what this process does; empty means what its data folder says: the role of the
 *     number that it was enrolled with, or else all of them
 * @param enroll an enrollment code of {@code beckon app-server add}: makes a new data folder that
 *     of a server of its own number; null to start from what the folder holds
 * @param udp local addresses for keepalives and wakes; empty means every address of this host, port
 *     3478. Only with the role rendezvous
 * @param tls address for sessions, enrollment and other servers; may be a wildcard
 * @param http address of the API and the console; null means there is none
 * @param advertise name or address under which devices reach this server; null means the source
 *     address of the default route. Only with the role rendezvous
 * @param publicStun whether strangers' STUN Binding requests are answered
 * @param insecure whether what is for labs is allowed on an address other than loopback: the API
 *     without TLS, and a security below mutual
 * @param security how much of the protection is on, for datagrams and sessions alike
 * @param keep how long ended commands are kept
 */
public record ServerConfig(
    Path data,
    Set<Role> roles,
    @Nullable String enroll,
    List<InetSocketAddress> udp,
    InetSocketAddress tls,
    @Nullable InetSocketAddress http,
    @Nullable String advertise,
    boolean publicStun,
    boolean insecure,
    Security security,
    Duration keep) {

  /** IANA's port for STUN; the datagrams are STUN. */
  public static final int DEFAULT_UDP_PORT = 3478;

  /** IANA's port for STUN over TLS; nothing else of ours needs TCP. */
  public static final int DEFAULT_TLS_PORT = 5349;

  public static final int DEFAULT_HTTP_PORT = 8080;

  public ServerConfig {
    roles = Set.copyOf(roles);
    udp = List.copyOf(udp);
  }

  /** The defaults, with this data folder. */
  public static Builder at(Path data) {
    return new Builder(data);
  }

  /** Collects what differs from the defaults. */
  public static final class Builder {
    private final Path data;
    private Set<Role> roles = Set.of();
    private @Nullable String enroll;
    private List<InetSocketAddress> udp = List.of();
    private InetSocketAddress tls = new InetSocketAddress(DEFAULT_TLS_PORT);
    private @Nullable InetSocketAddress http =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), DEFAULT_HTTP_PORT);
    private @Nullable String advertise;
    private boolean publicStun;
    private boolean insecure;
    private Security security = Security.MUTUAL;
    private Duration keep = Commands.DEFAULT_KEEP;

    private Builder(Path data) {
      this.data = data;
    }

    public Builder roles(Set<Role> only) {
      roles = only;
      return this;
    }

    public Builder enroll(@Nullable String code) {
      enroll = code;
      return this;
    }

    public Builder udp(List<InetSocketAddress> addresses) {
      udp = addresses;
      return this;
    }

    public Builder tls(InetSocketAddress address) {
      tls = address;
      return this;
    }

    public Builder http(@Nullable InetSocketAddress address) {
      http = address;
      return this;
    }

    public Builder advertise(@Nullable String host) {
      advertise = host;
      return this;
    }

    public Builder publicStun(boolean on) {
      publicStun = on;
      return this;
    }

    public Builder keep(Duration time) {
      keep = time;
      return this;
    }

    public Builder insecure(boolean allowed) {
      insecure = allowed;
      return this;
    }

    public Builder security(Security mode) {
      security = mode;
      return this;
    }

    public ServerConfig build() {
      return new ServerConfig(
          data, roles, enroll, udp, tls, http, advertise, publicStun, insecure, security, keep);
    }
  }
}
