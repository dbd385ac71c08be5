package dev.beckon.server.identity;

/**
 * Where devices find this server: goes into enrollment codes and answers.
 *
 * @param host name or address, IPv6 without brackets
 * @param udpPort port of the keepalives
 * @param tlsPort port of the sessions and of enrollment
 */
public record Advertised(String host, int udpPort, int tlsPort) {

  /** Host and port as an enrollment answer says them. */
  public String udpAddress() {
    return address(udpPort);
  }

  /** Host and port as an enrollment answer says them. */
  public String tlsAddress() {
    return address(tlsPort);
  }

  private String address(int port) {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
