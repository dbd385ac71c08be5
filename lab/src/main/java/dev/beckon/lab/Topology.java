package dev.beckon.lab;

import java.util.List;

/**
 * What stands between the devices and the server.
 *
 * <pre>
 *   device1 ─┐
 *            ├─ router1 [─ router2] ── server (two addresses)
 *   device2 ─┘                    └─── server2 … (only with {@link #withServers}; two each)
 * </pre>
 *
 * @param kind the network that the devices are in
 * @param nats the translation each router does, from the devices to the server; empty without NAT
 * @param devices number of devices behind the first router, 1 to 9
 * @param servers number of hosts on the servers' side, 1 to 9
 * @param unrepliedSeconds life of a UDP mapping that has not yet carried answered traffic for two
 *     seconds; 30 in Linux
 * @param repliedSeconds life of a UDP mapping after that; 120 in Linux
 */
public record Topology(
    Kind kind, List<Nat> nats, int devices, int servers, int unrepliedSeconds, int repliedSeconds) {

  /** Which addresses the devices have. */
  public enum Kind {
    /** Private addresses, translated by each router. */
    NAT,
    /** Public addresses; the router only forwards. */
    PUBLIC,
    /** Public IPv6 addresses behind a router that lets in only what answers. */
    IPV6_FIREWALL
  }

  private static final int LINUX_UNREPLIED_SECONDS = 30;
  private static final int LINUX_REPLIED_SECONDS = 120;

  /** Checks the ranges. */
  public Topology {
    nats = List.copyOf(nats);
    check("devices", devices, 9);
    check("servers", servers, 9);
    check("unreplied-seconds", unrepliedSeconds, 3600);
    check("replied-seconds", repliedSeconds, 3600);
    if (kind == Kind.NAT && (nats.isEmpty() || nats.size() > 2)) {
      throw new IllegalArgumentException("nats: " + nats + " (expected one or two)");
    }
  }

  private static void check(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(name + ": " + value + " (expected 1 to " + most + ")");
    }
  }

  /** One device behind these routers, the home router first, then the carrier's. */
  public static Topology behind(Nat... nats) {
    return plain(Kind.NAT, List.of(nats));
  }

  /** One device with a public IPv4 address and no NAT. */
  public static Topology withoutNat() {
    return plain(Kind.PUBLIC, List.of());
  }

  /** One device with a public IPv6 address behind a stateful firewall. */
  public static Topology ipv6BehindFirewall() {
    return plain(Kind.IPV6_FIREWALL, List.of());
  }

  private static Topology plain(Kind kind, List<Nat> nats) {
    return new Topology(kind, nats, 1, 1, LINUX_UNREPLIED_SECONDS, LINUX_REPLIED_SECONDS);
  }

  /** The same with another number of devices, each in its own subnet of the first router. */
  public Topology withDevices(int count) {
    return new Topology(kind, nats, count, servers, unrepliedSeconds, repliedSeconds);
  }

  /** The same with another number of hosts on the servers' side, all in one subnet. */
  public Topology withServers(int count) {
    return new Topology(kind, nats, devices, count, unrepliedSeconds, repliedSeconds);
  }

  /** The same with other lives of UDP mappings in every router. */
  public Topology withTimers(int unreplied, int replied) {
    return new Topology(kind, nats, devices, servers, unreplied, replied);
  }

  /** Number of routers between a device and the server. */
  public int routers() {
    return Math.max(1, nats.size());
  }

  String deviceAddress(int device) {
    return devicePrefix(device) + "100";
  }

  String deviceGateway(int device) {
    return devicePrefix(device) + "1";
  }

  private String devicePrefix(int device) {
    return switch (kind) {
      case NAT -> "192.168." + device + ".";
      case PUBLIC -> "198.51." + (99 + device) + ".";
      case IPV6_FIREWALL -> "2001:db8:" + device + "::";
    };
  }

  /** The outermost router's address on the server's side. */
  String outerAddress() {
    return serverPrefix() + "1";
  }

  /** A server host's name, from 1. */
  static String serverName(int server) {
    return server == 1 ? "server" : "server" + server;
  }

  /** A server host's two addresses, from 1. */
  List<String> serverAddresses(int server) {
    return List.of(serverPrefix() + (99 + server), serverPrefix() + (199 + server));
  }

  private String serverPrefix() {
    return ipv6() ? "2001:db8:ffff::" : "203.0.113.";
  }

  int prefixLength() {
    return ipv6() ? 64 : 24;
  }

  boolean ipv6() {
    return kind == Kind.IPV6_FIREWALL;
  }
}
