package dev.beckon.lab;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Topology} made real with Linux network namespaces and the kernel's own NAT.
 *
 * <p>Needs no privileges where user namespaces are allowed. Everything in it, processes included,
 * ends with {@link #close} or with this JVM, even when that is killed. Labs do not see each other
 * and may run side by side. Safe for use by several threads.
 */
public final class NatLab implements AutoCloseable {

  private static final Duration BUILD_TIME = Duration.ofSeconds(20);
  private static final List<String> TOOLS = List.of("setsid", "unshare", "nsenter", "ip");

  private final Topology topology;
  private final Anchor anchor;
  private final List<Host> devices;
  private final List<Router> routers;
  private final List<Host> servers;

  private NatLab(Topology topology, Anchor anchor) {
    this.topology = topology;
    this.anchor = anchor;
    devices =
        IntStream.rangeClosed(1, topology.devices())
            .mapToObj(n -> host("device" + n, List.of(topology.deviceAddress(n))))
            .toList();
    routers = IntStream.rangeClosed(1, topology.routers()).mapToObj(this::router).toList();
    servers =
        IntStream.rangeClosed(1, topology.servers())
            .mapToObj(n -> host(Topology.serverName(n), topology.serverAddresses(n)))
            .toList();
  }

  private Host host(String name, List<String> addresses) {
    return new Host(name, addresses, anchor.enter());
  }

  private Router router(int number) {
    boolean outermost = number == topology.routers();
    String outer = outermost ? topology.outerAddress() : LabScript.CARRIER_INNER;
    return new Router("router" + number, List.of(outer), anchor.enter(), topology);
  }

  /**
   * Why no lab can be made on this machine, in one line for people; empty if it can.
   *
   * @param more further tools that are wanted: {@code nft} for everything but a plain masquerade,
   *     {@code conntrack} for the reboot of an IPv6 firewall, {@code tcpdump} for recordings
   */
  public static Optional<String> unavailableReason(String... more) {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.of(
          "network namespaces: need Linux, this is " + System.getProperty("os.name"));
    }
    List<String> missing =
        Stream.concat(TOOLS.stream(), Stream.of(more)).filter(tool -> !installed(tool)).toList();
    if (!missing.isEmpty()) {
      return Optional.of(
          "network namespaces: %s not found (sudo apt install %s)"
              .formatted(
                  String.join(", ", missing),
                  missing.stream().map(NatLab::debianPackage).distinct().collect(joining(" "))));
    }
    try (NatLab _ = start(Topology.behind(Nat.SYMMETRIC))) {
      return Optional.empty();
    } catch (LabException e) {
      return Optional.of("network namespaces: " + firstLine(e) + hint());
    }
  }

  /** Whether the tool for all kinds of rules is there; without it a plain masquerade is left. */
  static boolean hasNft() {
    return installed("nft");
  }

  private static String debianPackage(String tool) {
    return switch (tool) {
      case "setsid", "unshare", "nsenter" -> "util-linux";
      case "ip" -> "iproute2";
      case "nft" -> "nftables";
      default -> tool;
    };
  }

  private static boolean installed(String tool) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Stream.of(path.split(":")).anyMatch(f -> Files.isExecutable(Path.of(f, tool)));
  }

  private static String firstLine(LabException e) {
    Throwable reason = e.getCause() == null ? e : e.getCause();
    return String.valueOf(reason.getMessage()).lines().findFirst().orElse("refused");
  }

  private static String hint() {
    return Files.exists(Path.of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"))
        ? " (try sudo, or: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
        : "";
  }

  /**
   * Builds the lab.
   *
   * @throws LabException if it cannot be made here
   */
  public static NatLab start(Topology topology) {
    return start(topology, null);
  }

  /**
   * As {@link #start(Topology)} with a folder that is deleted when the lab has ended, even if this
   * JVM was killed.
   */
  public static NatLab start(Topology topology, @Nullable Path scratch) {
    return start(topology, scratch, hasNft());
  }

  static NatLab start(Topology topology, @Nullable Path scratch, boolean useNft) {
    Anchor anchor;
    try {
      anchor = Anchor.open(scratch);
    } catch (IOException e) {
      throw new LabException("lab: cannot make namespaces: " + e.getMessage(), e);
    }
    try {
      build(anchor, useNft ? LabScript.of(topology) : LabScript.withoutRules(topology));
      NatLab lab = new NatLab(topology, anchor);
      if (!useNft) {
        lab.masquerade();
      }
      return lab;
    } catch (RuntimeException e) {
      anchor.close();
      throw e;
    }
  }

  private void masquerade() {
    for (int i = 0; i < topology.nats().size(); i++) {
      Nat nat = topology.nats().get(i);
      if (nat == Nat.ENDPOINT_INDEPENDENT) {
        throw new LabException("lab: " + nat + " needs nft (sudo apt install nftables)");
      }
      List<String> command = JavaCommand.of(KernelNat.class.getName(), nat.name());
      routers.get(i).run(command.toArray(String[]::new));
    }
    if (topology.kind() == Topology.Kind.IPV6_FIREWALL) {
      throw new LabException("lab: a firewall needs nft (sudo apt install nftables)");
    }
  }

  private static void build(Anchor anchor, String text) {
    List<String> command = new ArrayList<>(anchor.enter());
    command.addAll(List.of("sh", "-euc", text));
    try (LabProcess script = LabProcess.start("lab", command, _ -> {})) {
      if (script.awaitEnd(BUILD_TIME) != 0) {
        throw new LabException("lab: " + String.join("\n  ", script.lines()));
      }
    }
  }

  /** What it was built from. */
  public Topology topology() {
    return topology;
  }

  /** The first device. */
  public Host device() {
    return device(1);
  }

  /** A device, from 1. */
  public Host device(int number) {
    return devices.get(number - 1);
  }

  /** The router next to the devices. */
  public Router router() {
    return routers.getFirst();
  }

  /** The routers from the devices to the server. */
  public List<Router> routers() {
    return routers;
  }

  /** The first server's host, with two addresses. */
  public Host server() {
    return server(1);
  }

  /** A server's host, from 1, with two addresses. */
  public Host server(int number) {
    return servers.get(number - 1);
  }

  /** Ends all processes of the lab and removes its namespaces. */
  @Override
  public void close() {
    anchor.close();
  }
}
