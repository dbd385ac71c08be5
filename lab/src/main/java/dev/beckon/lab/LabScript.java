package dev.beckon.lab;

import dev.beckon.lab.Topology.Kind;

/**
 * The shell script that builds a {@link Topology}; pure text, so that it can be read and tested.
 */
final class LabScript {

  /** Between two routers in a row: the carrier's shared address space, RFC 6598. */
  private static final String CARRIER = "100.64.0.";

  static final String CARRIER_GATEWAY = CARRIER + "1";
  static final String CARRIER_INNER = CARRIER + "2";

  private static final String SWITCH = "switch";

  private final Topology topology;
  private final boolean withRules;
  private final StringBuilder script = new StringBuilder(2048);

  private LabScript(Topology topology, boolean withRules) {
    this.topology = topology;
    this.withRules = withRules;
  }

  static String of(Topology topology) {
    return new LabScript(topology, true).write();
  }

  /** The same but for the rules of the routers, which need {@code nft}. */
  static String withoutRules(Topology topology) {
    return new LabScript(topology, false).write();
  }

  private String write() {
    namespaces();
    devices();
    routers();
    servers();
    for (int router = 1; router <= topology.routers(); router++) {
      forward(router);
    }
    return script.toString();
  }

  private void namespaces() {
    for (int device = 1; device <= topology.devices(); device++) {
      namespace("device" + device);
    }
    for (int router = 1; router <= topology.routers(); router++) {
      namespace("router" + router);
    }
    for (int server = 1; server <= topology.servers(); server++) {
      namespace(Topology.serverName(server));
    }
    if (topology.servers() > 1) {
      namespace(SWITCH);
    }
  }

  private void namespace(String name) {
    line("ip netns add %s", name);
    line("ip -n %s link set lo up", name);
    if (topology.ipv6()) {
      // The search for duplicates would make every address unusable for two seconds.
      sysctl(name, "net/ipv6/conf/all/accept_dad", 0);
      sysctl(name, "net/ipv6/conf/default/accept_dad", 0);
    }
  }

  private void devices() {
    for (int device = 1; device <= topology.devices(); device++) {
      String name = "device" + device;
      link("router1", "lan" + device, name, "eth0");
      address("router1", "lan" + device, topology.deviceGateway(device));
      address(name, "eth0", topology.deviceAddress(device));
      line("ip -n %s route add default via %s", name, topology.deviceGateway(device));
    }
  }

  private void routers() {
    if (topology.routers() == 2) {
      link("router2", "lan1", "router1", "wan");
      address("router2", "lan1", CARRIER_GATEWAY);
      address("router1", "wan", CARRIER_INNER);
      line("ip -n router1 route add default via %s", CARRIER_GATEWAY);
    }
  }

  private void servers() {
    String outermost = "router" + topology.routers();
    if (topology.servers() == 1) {
      link(outermost, "wan", "server", "eth0");
    } else {
      line("ip -n %s link add bridge type bridge", SWITCH);
      line("ip -n %s link set bridge up", SWITCH);
      plug(outermost, "wan", "router");
      for (int server = 1; server <= topology.servers(); server++) {
        plug(Topology.serverName(server), "eth0", Topology.serverName(server));
      }
    }
    address(outermost, "wan", topology.outerAddress());
    for (int server = 1; server <= topology.servers(); server++) {
      String name = Topology.serverName(server);
      for (String address : topology.serverAddresses(server)) {
        address(name, "eth0", address);
      }
      if (topology.kind() != Kind.NAT) {
        line("ip -n %s route add default via %s", name, topology.outerAddress());
      }
    }
  }

  /** Connects a host to the switch between the outermost router and the servers. */
  private void plug(String host, String hostInterface, String port) {
    link(host, hostInterface, SWITCH, port);
    line("ip -n %s link set %s master bridge", SWITCH, port);
  }

  private void link(String inner, String innerInterface, String outer, String outerInterface) {
    line(
        "ip -n %s link add %s type veth peer name %s netns %s",
        inner, innerInterface, outerInterface, outer);
    line("ip -n %s link set %s up", inner, innerInterface);
    line("ip -n %s link set %s up", outer, outerInterface);
  }

  private void address(String host, String device, String address) {
    line("ip -n %s addr add %s/%d dev %s", host, address, topology.prefixLength(), device);
  }

  private void forward(int router) {
    String name = "router" + router;
    if (topology.ipv6()) {
      // An address must survive the reboot of the router, which takes the interface down.
      sysctl(name, "net/ipv6/conf/wan/keep_addr_on_down", 1);
      sysctl(name, "net/ipv6/conf/all/forwarding", 1);
    } else {
      sysctl(name, "net/ipv4/ip_forward", 1);
    }
    String rules = rules(router);
    if (!rules.isEmpty()) {
      if (withRules) {
        line("ip netns exec %s nft -f - <<'RULES'%n%sRULES", name, rules);
      }
      sysctl(name, "net/netfilter/nf_conntrack_udp_timeout", topology.unrepliedSeconds());
      sysctl(name, "net/netfilter/nf_conntrack_udp_timeout_stream", topology.repliedSeconds());
    }
  }

  private void sysctl(String host, String key, int value) {
    line("ip netns exec %s sh -c 'echo %d > /proc/sys/%s'", host, value, key);
  }

  private String rules(int router) {
    return switch (topology.kind()) {
      case PUBLIC -> "";
      case IPV6_FIREWALL -> FIREWALL;
      case NAT ->
          switch (topology.nats().get(router - 1)) {
            case PORT_PRESERVING -> masquerade("");
            case SYMMETRIC -> masquerade(" fully-random");
            case ENDPOINT_INDEPENDENT -> endpointIndependent();
          };
    };
  }

  private static final String FIREWALL =
      """
      table ip6 router {
        chain forward {
          type filter hook forward priority filter; policy drop;
          iifname "lan*" accept
          ct state established,related accept
        }
      }
      """;

  /*
   * What strangers send to the router itself is dropped, as home routers do. Otherwise it would be
   * remembered, and a later flow of a device to the same stranger would get another port.
   */
  private static final String CLOSED =
      """
        chain closed {
          type filter hook input priority filter;
          iifname "wan" drop
        }
      """;

  private static String masquerade(String how) {
    return """
    table ip router {
      chain outward {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade%s
      }
    %s}
    """
        .formatted(how, CLOSED);
  }

  /**
   * Linux filters by address and port, so the open half is made by hand: what leaves is noted by
   * its port, and whatever arrives there is passed on, from anyone, while the note lives. Only
   * outbound traffic prolongs it (RFC 4787, section 4.3).
   */
  private String endpointIndependent() {
    return """
    table ip router {
      map mappings {
        type inet_service : ipv4_addr
        flags dynamic,timeout
        timeout %ds
      }
      chain note {
        type filter hook forward priority filter;
        iifname "lan*" update @mappings { udp sport : ip saddr }
      }
      chain inward {
        type nat hook prerouting priority dstnat;
        iifname "wan" dnat to udp dport map @mappings
      }
      chain outward {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade
      }
    %s}
    """
        .formatted(topology.repliedSeconds(), CLOSED);
  }

  private void line(String format, Object... arguments) {
    script.append(format.formatted(arguments)).append('\n');
  }
}
