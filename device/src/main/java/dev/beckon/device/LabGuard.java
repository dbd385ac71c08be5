package dev.beckon.device;

import dev.beckon.protocol.Security;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps security modes that are for labs off networks: without {@code insecure} such a device
 * speaks to loopback addresses only, whatever a name resolves to.
 *
 * @param insecure whether somebody said that a network is all right
 */
record LabGuard(Security security, boolean insecure) {

  boolean restricts() {
    return security != Security.MUTUAL && !insecure;
  }

  /**
   * Those of the addresses that the device may speak to.
   *
   * @throws IOException if there is none; its message is for people
   */
  List<InetAddress> allowed(String host, List<InetAddress> addresses) throws IOException {
    if (!restricts()) {
      return addresses;
    }
    List<InetAddress> allowed = new ArrayList<>(addresses);
    allowed.removeIf(address -> !address.isLoopbackAddress());
    if (allowed.isEmpty()) {
      throw new IOException(
          "security: "
              + security.text()
              + " (expected mutual, since the server "
              + host
              + " has no loopback address; in a lab, accept the risk with --insecure)");
    }
    return allowed;
  }

  /** One line for the log; empty where there is nothing to warn of. */
  String warning() {
    return switch (security) {
      case MUTUAL -> "";
      case SERVER ->
          "security: server (for labs only: the device does not prove who it is; expected mutual)";
      case NONE ->
          "security: none (for labs only: whoever is on the way can read and give commands;"
              + " expected mutual)";
    };
  }
}
