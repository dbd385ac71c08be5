package dev.beckon.server.identity;

/**
 * Where devices find this server: goes into enrollment codes and answers.
 *
 * @param host name or address, IPv6 without brackets
 * @param udpPort port of the keepalives
 * @param tlsPort port of the sessions and of enrollment
 */
public record Advertised(String host, int udpPort, int tlsPort) {

  String udpAddress() {
    return address(udpPort);
  }

  String tlsAddress() {
    return address(tlsPort);
  }

  private String address(int port) {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
