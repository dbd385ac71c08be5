package dev.beckon.lab;

import dev.beckon.lab.Topology.Kind;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A router of the lab: forwards, translates, forgets, and loses packets on demand. */
public final class Router extends Host {

  /** Probabilities are given to the kernel in these parts. */
  private static final int PARTS = 10_000;

  private final Topology topology;
  private final List<String> innerInterfaces;

  Router(String name, List<String> addresses, List<String> enter, Topology topology) {
    super(name, addresses, enter);
    this.topology = topology;
    int inner = name.equals("router1") ? topology.devices() : 1;
    innerInterfaces = IntStream.rangeClosed(1, inner).mapToObj(i -> "lan" + i).toList();
  }

  /** What the router remembers of traffic that passed it; empty if it only forwards. */
  public List<Mapping> mappings() {
    if (topology.kind() == Kind.PUBLIC) {
      return List.of();
    }
    return run("cat", "/proc/net/nf_conntrack").stream()
        .map(Mapping::parse)
        .flatMap(Optional::stream)
        .toList();
  }

  /** Restarts the router: it is back at once and has forgotten all its mappings. */
  public void reboot() {
    // Linux forgets masqueraded flows when the interface that they left by goes down, but not at
    // that very moment. Nothing new comes in between: there is no way out.
    run("sh", "-c", "ip link set wan down" + awaitOblivion() + "; ip link set wan up" + wayOut());
    if (topology.kind() == Kind.IPV6_FIREWALL) {
      run("conntrack", "-F");
    }
    if (topology.nats().contains(Nat.ENDPOINT_INDEPENDENT)) {
      // What strangers began was never masqueraded.
      run("sh", "-c", "nft flush map ip router mappings 2> /dev/null; conntrack -F");
    }
  }

  private String awaitOblivion() {
    return topology.kind() == Kind.NAT
        ? "; n=0; while grep -Eq 'udp|tcp' /proc/net/nf_conntrack && [ $n -lt 200 ];"
            + " do n=$((n+1)); sleep 0.01; done"
        : "";
  }

  /** The inner one of two routers loses its route with the interface. */
  private String wayOut() {
    boolean inner = topology.routers() == 2 && name().equals("router1");
    return inner ? " && ip route replace default via " + LabScript.CARRIER_GATEWAY : "";
  }

  /** Sets the treatment of packets that go this way from now on. */
  public void weather(Direction direction, Weather weather) {
    String interfaces =
        direction == Direction.UP
            ? "\"wan\""
            : innerInterfaces.stream().map(i -> '"' + i + '"').collect(Collectors.joining(", "));
    String table = "weather_" + direction.name().toLowerCase(Locale.ROOT);
    run("nft", rules(table, interfaces, weather));
  }

  /*
   * The hook stands behind the translation, so a twin looks like its original. A marked packet is
   * the twin: it must not be doubled again.
   */
  private static String rules(String table, String interfaces, Weather weather) {
    String twin = "meta mark set 1 dup to " + interfaces.split(",", 2)[0];
    return """
    table netdev %1$s
    delete table netdev %1$s
    table netdev %1$s {
      chain leaving {
        type filter hook egress devices = { %2$s } priority 0;
        meta mark 1 accept
        %3$s
        %4$s
        %5$s
      }
    }
    """
        .formatted(
            table,
            interfaces,
            rule(weather.udpOnly() ? "udp" : "{ tcp, udp }", weather.loss(), "drop"),
            rule("udp", weather.corruption(), "@th,64,8 set 0xff"),
            rule("udp", weather.duplication(), twin));
  }

  private static String rule(String protocol, double probability, String action) {
    long parts = Math.round(probability * PARTS);
    String chance = parts == PARTS ? "" : "numgen random mod %d < %d ".formatted(PARTS, parts);
    return parts == 0 ? "" : "meta l4proto " + protocol + " " + chance + action;
  }
}
