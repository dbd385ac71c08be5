package dev.beckon.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.SimulationRun.Course;
import dev.beckon.cli.SimulationRun.Surrounding;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.cli.terminal.ProgressLine;
import dev.beckon.lab.LabException;
import dev.beckon.lab.fleet.CpuAffinity;
import dev.beckon.lab.fleet.FleetCertificates;
import dev.beckon.lab.fleet.FleetFolder;
import dev.beckon.lab.fleet.LoadKind;
import dev.beckon.lab.fleet.SimulationPlan;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Locale;
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
      "Their datagrams are genuine: each device has its own key, proves its address first and obeys"
          + " what the answers ask for. Keeps one processor busy. Without --against it starts a"
          + " server of its own on another processor, and deletes that server's data at the end."
    },
    footer = {
      "",
      "Examples:",
      "  beckon simulate --devices 1000000 --interval 60s --duration 2m",
      "  beckon simulate --devices 10000000 --saturate",
      "  beckon simulate --devices 5000000 --interval 25s --find-limit",
      "  beckon simulate --against 127.0.0.1:3478 --keys DATA/master.keys --kind one-way --saturate"
    })
final class SimulateCommand implements Callable<Integer> {

  private static final Duration LEAST_DURATION = Duration.ofSeconds(1);
  private static final Duration MOST_DURATION = Duration.ofHours(24);
  private static final Duration LEAST_INTERVAL = Duration.ofSeconds(1);
  private static final Duration MOST_INTERVAL = Duration.ofMinutes(135);

  /** What goes on at Ctrl-C is over long before, and a server of our own has ended. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Each costs time and disk at the start; more are not needed to keep a server busy. */
  private static final int MOST_ENROLLED = 1_000_000;

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
          "keepalive (answered), one-way (not answered; when paced, every 4th is), or stun: Binding"
              + " requests to any STUN server (default: ${DEFAULT-VALUE}).")
  private String kind = "keepalive";

  @Option(
      names = "--saturate",
      description = "Send more than the server can take, and count what it takes.")
  private boolean saturate;

  @Option(
      names = "--find-limit",
      description =
          "Saturate the server for 10 s, compute how many devices it sustains at 25, 60 and 120 s,"
              + " and prove that with --interval for --duration.")
  private boolean findLimit;

  @Option(
      names = "--commands-per-second",
      paramLabel = "N",
      description =
          "Send so many commands to enrolled devices meanwhile, each to one at random: they are"
              + " woken, and dial in for a session (with a server of its own only; default: none).")
  private double commandsPerSecond;

  @Option(
      names = "--enrolled",
      paramLabel = "N",
      description =
          "Devices that have a certificate, the first ones of the fleet; made before the start"
              + " (default: 1000 with --commands-per-second).")
  private int enrolled = 1_000;

  @Option(
      names = "--against",
      paramLabel = "HOST:PORT",
      description = "UDP address of a server that runs already (default: start one).")
  private @Nullable String against;

  @Option(
      names = "--keys",
      paramLabel = "FILE",
      description = "That server's master.keys, from which the devices' keys are derived.")
  private @Nullable Path keys;

  @Option(
      names = "--server-pid",
      paramLabel = "PID",
      description = "That server's process, to report its memory and processor time.")
  private @Nullable Long serverPid;

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

  @Option(
      names = "--cpu",
      paramLabel = "N",
      description =
          "Stay on this processor, from 0 (default: any; with a server of its own 1, the server"
              + " 0).")
  private @Nullable Integer cpu;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Makes transaction IDs the same again (default: another one each time).")
  private @Nullable Integer seed;

  @Option(names = "--json", description = "Print JSON, for programs.")
  private boolean json;

  SimulateCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public Integer call() {
    check();
    Runtime.getRuntime().addShutdownHook(new Thread(this::stopAndAwaitReport, "beckon-stop"));
    ProgressLine progress =
        new ProgressLine(surroundings.err(), surroundings.errIsTerminal(), System::nanoTime);
    try {
      if (against != null) {
        pin(cpu);
        report(
            run(progress)
                .figures(plan(server(against)), masterKeys(), new Surrounding(serverPid, null)),
            progress);
      } else {
        runOwnServer(progress);
      }
    } catch (IOException e) {
      throw FailureException.failed(Failures.of(e), null);
    } catch (LabException e) {
      throw FailureException.failed(String.valueOf(e.getMessage()), null);
    } finally {
      progress.end();
      ended.countDown();
    }
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

  private void check() {
    plan(new InetSocketAddress(1)); // complains about options before anything is started
    length();
    if (against == null) {
      if (loadKind() == LoadKind.STUN || keys != null || serverPid != null || known) {
        throw FailureException.usage(
            "missing option --against HOST:PORT (expected with --kind stun, --keys, --server-pid"
                + " and --known)",
            null);
      }
    } else {
      server(against);
      masterKeys();
    }
    if (commandsPerSecond < 0 || commandsPerSecond > 10_000) {
      throw FailureException.usage(
          "--commands-per-second: " + commandsPerSecond + " (expected 0 to 10000)", null);
    }
    if (enrolled < 1 || enrolled > MOST_ENROLLED) {
      throw FailureException.usage(
          "--enrolled: " + enrolled + " (expected 1 to " + MOST_ENROLLED + ")", null);
    }
    if (commandsPerSecond > 0 && (against != null || saturate)) {
      throw FailureException.usage(
          "--commands-per-second (expected without --against and without --saturate)", null);
    }
    if (loadKind() == LoadKind.STUN && (findLimit || !saturate)) {
      throw FailureException.usage(
          "--kind: stun (expected with --saturate; strangers keep no interval)", null);
    }
    if (findLimit && (saturate || loadKind() != LoadKind.KEEPALIVE)) {
      throw FailureException.usage(
          "--find-limit (expected without --saturate, and with answered keepalives)", null);
    }
  }

  private void runOwnServer(ProgressLine progress) throws IOException {
    boolean apart = Runtime.getRuntime().availableProcessors() > 1;
    Integer loadCpu = cpu == null && apart ? Integer.valueOf(1) : cpu;
    Integer serverCpu = loadCpu == null || !apart ? null : loadCpu == 0 ? 1 : 0;
    try (TemporaryFolder data = TemporaryFolder.create("beckon-simulate-")) {
      runOwnServer(data.path(), loadCpu, serverCpu, progress);
    }
  }

  private void runOwnServer(
      Path data, @Nullable Integer loadCpu, @Nullable Integer serverCpu, ProgressLine progress)
      throws IOException {
    FleetCertificates certificates =
        commandsPerSecond > 0
            ? FleetFolder.provision(data, Math.min(enrolled, devices), progress::at)
            : null;
    pin(serverCpu); // inherited by the server
    try (ServerChild server = ServerChild.start(data)) {
      pin(loadCpu);
      SimulationPlan plan = plan(server.udp());
      try (SimulatedSessions sessions =
          certificates == null
              ? null
              : new SimulatedSessions(server, certificates, commandsPerSecond, plan.seed())) {
        MasterKeys masterKeys = MasterKeys.read(data.resolve("master.keys"));
        report(
            run(progress).figures(plan, masterKeys, new Surrounding(server.pid(), sessions)),
            progress);
      }
    }
  }

  private static void pin(@Nullable Integer cpu) throws IOException {
    if (cpu != null) {
      CpuAffinity.pinProcess(cpu);
    }
  }

  private SimulationRun run(ProgressLine progress) {
    return new SimulationRun(course(), length(), known, progress, () -> stopped);
  }

  private Course course() {
    if (findLimit) {
      return Course.FIND_LIMIT;
    }
    return saturate ? Course.SATURATE : Course.PACE;
  }

  private SimulationPlan plan(InetSocketAddress server) {
    try {
      return new SimulationPlan(
          server,
          loadKind(),
          devices,
          sources,
          sourcePort,
          !noSegments,
          Interval.of(Duration.ofSeconds(seconds())),
          seed != null ? seed : new SecureRandom().nextInt());
    } catch (IllegalArgumentException e) {
      throw FailureException.usage("--" + e.getMessage(), null);
    }
  }

  /** In whole seconds, or minutes from two on: what a keepalive can announce. */
  private int seconds() {
    return Interval.of(TimeSpanText.between("--interval", interval, LEAST_INTERVAL, MOST_INTERVAL))
        .seconds();
  }

  private Duration length() {
    return TimeSpanText.between("--duration", duration, LEAST_DURATION, MOST_DURATION);
  }

  private static InetSocketAddress server(String address) {
    return SocketAddressText.parse(address)
        .filter(found -> found.getPort() > 0)
        .orElseThrow(
            () ->
                FailureException.usage(
                    "--against: "
                        + address
                        + " (expected ADDRESS:PORT of a server, such as 127.0.0.1:3478)",
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

  private @Nullable MasterKeys masterKeys() {
    if (loadKind() == LoadKind.STUN) {
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

  private void report(Map<String, Number> figures, ProgressLine progress) {
    progress.end();
    if (!json) {
      Ink ink = new Ink(surroundings.colours(surroundings.outIsTerminal()));
      String title =
          String.format(
              Locale.ROOT,
              "%,d devices, %s, %s",
              devices,
              kind,
              saturate ? "saturating" : interval);
      SimulationReport.lines(title, figures, ink).forEach(surroundings.out()::println);
      return;
    }
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("kind", kind);
    node.put("devices", devices);
    node.put("intervalSeconds", seconds());
    node.put("sources", sources);
    figures.forEach(
        (name, value) -> {
          if (value instanceof Double number) {
            node.put(name, number);
          } else {
            node.put(name, value.longValue());
          }
        });
    surroundings.out().println(node.toPrettyString());
  }
}
