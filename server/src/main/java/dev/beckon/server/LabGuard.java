package dev.beckon.server;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps security modes that are for labs off networks, and says at every start that one is on. */
final class LabGuard {

  private static final Logger log = LoggerFactory.getLogger(LabGuard.class);

  private LabGuard() {}

  /**
   * Before anything is opened.
   *
   * @throws IOException as {@link #check(ServerConfig, String, List)}
   */
  static void check(ServerConfig config) throws IOException {
    check(config, "--tls", List.of(config.tls()));
    check(config, "--udp", config.udp());
    String warning = warning(config.security());
    if (!warning.isEmpty()) {
      log.warn(warning);
    }
  }

  /**
   * @param option such as {@code --udp}
   * @throws IOException if devices could come over a network and nobody said {@code --insecure}
   */
  static void check(ServerConfig config, String option, List<InetSocketAddress> addresses)
      throws IOException {
    if (config.security() == Security.MUTUAL || config.insecure()) {
      return;
    }
    for (InetSocketAddress address : addresses) {
      if (!address.getAddress().isLoopbackAddress()) {
        throw new IOException(
            "security: "
                + config.security().text()
                + " (expected mutual, since "
                + SocketAddresses.format(address)
                + " is no loopback address: choose one with "
                + option
                + ", or accept the risk in a lab with --insecure)");
      }
    }
  }

  /** One line for the log; empty where there is nothing to warn of. */
  static String warning(Security security) {
    return switch (security) {
      case MUTUAL -> "";
      case SERVER ->
          "security: server (for labs only: whoever knows the ID of a device can take its commands;"
              + " expected mutual)";
      case NONE ->
          "security: none (for labs only: nothing is encrypted, nobody proves who they are;"
              + " expected mutual)";
    };
  }
}
