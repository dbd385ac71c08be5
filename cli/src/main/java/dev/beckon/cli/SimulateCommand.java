package dev.beckon.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.ProgressLine;
import dev.beckon.lab.fleet.CpuAffinity;
import dev.beckon.lab.fleet.LoadKind;
import dev.beckon.lab.fleet.Simulation;
import dev.beckon.lab.fleet.SimulationPlan;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Simulates a fleet of devices against a server. */
@Command(
    name = "simulate",
    description = {
      "Simulate a fleet of up to 10 million devices.",
      "Their datagrams are genuine: each device has its own key, and proves its address first."
          + " Keeps one processor busy."
    })
final class SimulateCommand implements Callable<Integer> {

  private static final Duration LEAST_DURATION = Duration.ofSeconds(1);
  private static final Duration MOST_DURATION = Duration.ofHours(24);
  private static final Duration LEAST_INTERVAL = Duration.ofSeconds(1);

  /** The queue of a saturated server is empty long before, and the sockets are closed. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Duration MOST_INTERVAL = Duration.ofMinutes(135);

  private final Surroundings surroundings;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean stopped;

  @Option(
      names = "--devices",
      paramLabel = "N",
      description = "How many, 1 to 10000000 (default: ${DEFAULT-VALUE}).")
  private int devices = 10_000;

  @Option(
      names = "--interval",
      paramLabel = "TIME",
      description = "Of their keepalives, 1s to 135m (default: ${DEFAULT-VALUE}).")
  private String interval = "60s";

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      description = "How long to measure, 1s to 24h (default: ${DEFAULT-VALUE}).")
  private String duration = "20s";

  @Option(
      names = "--kind",
      paramLabel = "KIND",
      description =
          "keepalive (answered), one-way (not answered), or stun: Binding requests to any STUN"
              + " server (default: ${DEFAULT-VALUE}).")
  private String kind = "keepalive";

  @Option(
      names = "--saturate",
      description = "Send more than the server can take, and count what it takes.")
  private boolean saturate;

  @Option(
      names = "--against",
      paramLabel = "HOST:PORT",
      description = "UDP address of a server that runs already.")
  private @Nullable String against;

  @Option(
      names = "--keys",
      paramLabel = "FILE",
      description = "That server's master.keys, from which the devices' keys are derived.")
  private @Nullable Path keys;

  @Option(
      names = "--sources",
      paramLabel = "N",
      description = "UDP sockets that the devices share, 1 to 16384 (default: ${DEFAULT-VALUE}).")
  private int sources = 64;

  @Option(
      names = "--source-port",
      paramLabel = "PORT",
      description =
          "First local port of the sockets, which stays the same from run to run (default: any free"
              + " ones).")
  private int sourcePort;

  @Option(
      names = "--known",
      description =
          "The server knows these devices from an earlier run with the same --devices, --sources"
              + " and --source-port: do without the set-up.")
  private boolean known;

  @Option(
      names = "--no-segments",
      description = "Give the kernel each datagram by itself, not 64 as one to be cut.")
  private boolean noSegments;

  @Option(names = "--json", description = "Print JSON, for programs.")
  private boolean json;

  @Option(names = "--cpu", paramLabel = "N", description = "Stay on this processor, from 0.")
  private @Nullable Integer cpu;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Makes transaction IDs the same again (default: another one each time).")
  private @Nullable Integer seed;

  SimulateCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public Integer call() {
    if (!saturate) {
      throw FailureException.usage("missing option --saturate", null);
    }
    SimulationPlan plan = plan();
    Duration length = TimeSpanText.between("--duration", duration, LEAST_DURATION, MOST_DURATION);
    MasterKeys masterKeys = masterKeys(plan.kind());
    Map<String, Number> figures = new LinkedHashMap<>();
    ProgressLine progress =
        new ProgressLine(surroundings.err(), surroundings.errIsTerminal(), System::nanoTime);
    Runtime.getRuntime().addShutdownHook(new Thread(this::stopAndAwaitReport, "beckon-stop"));
    try {
      pin();
      try (Simulation simulation =
          new Simulation(plan, masterKeys, System::nanoTime, InstantSource.system())) {
        if (!known) {
          figures.putAll(simulation.setUp(progress::at, () -> stopped));
        }
        figures.putAll(simulation.saturate(length, progress::at, () -> stopped));
      }
    } catch (IOException e) {
      ended.countDown();
      throw FailureException.failed(Failures.of(e), null);
    } finally {
      progress.end();
    }
    print(plan, figures);
    ended.countDown();
    return ExitCode.DONE;
  }

  /** Ctrl-C ends the measuring, not the report of what was measured. */
  private void stopAndAwaitReport() {
    stopped = true;
    try {
      if (!ended.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        surroundings.err().println("beckon: ended without a report");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void pin() throws IOException {
    if (cpu != null) {
      CpuAffinity.pinProcess(cpu);
    }
  }

  private SimulationPlan plan() {
    Duration every = TimeSpanText.between("--interval", interval, LEAST_INTERVAL, MOST_INTERVAL);
    try {
      return new SimulationPlan(
          server(),
          loadKind(),
          devices,
          sources,
          sourcePort,
          !noSegments,
          Interval.of(every),
          seed != null ? seed : new SecureRandom().nextInt());
    } catch (IllegalArgumentException e) {
      throw FailureException.usage("--" + e.getMessage(), null);
    }
  }

  private InetSocketAddress server() {
    if (against == null) {
      throw FailureException.usage("missing option --against HOST:PORT", null);
    }
    return SocketAddressText.parse(against)
        .filter(address -> address.getPort() > 0)
        .orElseThrow(
            () ->
                FailureException.usage(
                    "--against: " + against + " (expected " + SocketAddressText.EXPECTED + ")",
                    null));
  }

  private LoadKind loadKind() {
    return switch (kind) {
      case "keepalive" -> LoadKind.KEEPALIVE;
      case "one-way" -> LoadKind.ONE_WAY;
      case "stun" -> LoadKind.STUN;
      default ->
          throw FailureException.usage(
              "--kind: " + kind + " (expected keepalive, one-way or stun)", null);
    };
  }

  private @Nullable MasterKeys masterKeys(LoadKind kind) {
    if (kind == LoadKind.STUN) {
      return null;
    }
    if (keys == null) {
      throw FailureException.usage(
          "missing option --keys FILE (expected the server's master.keys; --kind stun needs none)",
          null);
    }
    try {
      return MasterKeys.read(keys);
    } catch (StoreException e) {
      throw FailureException.usage("--keys: " + e.getMessage(), null);
    }
  }

  private void print(SimulationPlan plan, Map<String, Number> figures) {
    if (json) {
      ObjectNode node = new ObjectMapper().createObjectNode();
      node.put("kind", kind);
      node.put("devices", plan.devices());
      node.put("sources", plan.sources());
      node.put("seed", plan.seed());
      figures.forEach(
          (name, value) -> {
            if (value instanceof Double number) {
              node.put(name, number);
            } else {
              node.put(name, value.longValue());
            }
          });
      surroundings.out().println(node.toPrettyString());
    } else {
      figures.forEach((name, value) -> surroundings.out().println(name + " " + value));
    }
  }
}
