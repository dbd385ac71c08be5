package dev.beckon.bench.sessions;

import dev.beckon.lab.fleet.FleetCertificates;
import dev.beckon.lab.fleet.FleetFolder;
import dev.beckon.lab.fleet.SessionLoad;
import dev.beckon.lab.fleet.SessionLoadConfig;
import dev.beckon.lab.fleet.SessionLoadConfig.Course;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/** What {@code bench/sessions} runs, on processor 1; what is measured runs on processor 0. */
public final class SessionsBench {

  /** Enough to keep the server's processor busy while the load's one waits, and the other way. */
  private static final int OPEN = 128;

  private static final int ROUNDS = 3;

  /** Devices of a round that is long enough to count: a second of a fast server. */
  private static final int FEWEST = 2_000;

  private static final int IDLE = 1_500;

  /** What ended sessions leave behind is gone by then. */
  private static final long SETTLE_MILLIS = 4_000;

  private static final int COLD_DEVICES = 100;
  private static final int COLD_ROUNDS = 2;

  private final Options options;

  /** Devices that get a command; the others have sessions without one. */
  private final int commanded;

  private final PrintStream out = System.out;
  private final Map<String, Object> figures = new LinkedHashMap<>();

  /**
   * @param serve the command that starts a server
   * @param folder for data and logs; a fresh one
   * @param json where the figures go
   * @param devices of the fleet; each has one session, so that none meets the server twice
   * @param seconds of each round
   */
  private record Options(List<String> serve, Path folder, Path json, int devices, double seconds) {}

  private SessionsBench(Options options) {
    this.options = options;
    this.commanded = options.devices() * 9 / 10;
  }

  /** Arguments: folder, JSON file, devices, seconds of a round, and the command to serve. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    new SessionsBench(
            new Options(
                List.of(arguments).subList(4, arguments.length),
                Path.of(arguments[0]),
                Path.of(arguments[1]),
                Integer.parseInt(arguments[2]),
                Double.parseDouble(arguments[3])))
        .run();
  }

  private void run() throws IOException, InterruptedException {
    Path data = options.folder().resolve("data");
    FleetCertificates fleet = fleet(data);
    try (BeckonServer server =
        BeckonServer.start(options.serve(), data, options.folder().resolve("serve.log"))) {
      accept(server);
      try (Nginx nginx = Nginx.start(data, fleet, options.folder())) {
        sessions(fleet, server, nginx);
      }
      cold(server);
    }
    write();
  }

  /** A folder of an earlier run is used again: with 60,000 devices that saves half a minute. */
  private FleetCertificates fleet(Path data) throws IOException {
    if (FleetFolder.isProvisioned(data)) {
      FleetCertificates before = FleetCertificates.open(data);
      if (before.devices() >= options.devices()) {
        return before;
      }
    }
    long begin = System.nanoTime();
    FleetCertificates fleet =
        FleetFolder.provision(data, options.devices(), (what, done, total) -> {});
    put("fleetProvisionSeconds", (System.nanoTime() - begin) / 1e9);
    return fleet;
  }

  private void accept(BeckonServer server) throws IOException, InterruptedException {
    double writes = server.metric("beckon_store_writes_total");
    double commits = server.metric("beckon_store_commits_total");
    long cpu = server.process().cpuMicros();
    long begin = System.nanoTime();
    new ApiLoad(server).postForEach(0, commanded);
    double seconds = (System.nanoTime() - begin) / 1e9;
    double group =
        (server.metric("beckon_store_writes_total") - writes)
            / (server.metric("beckon_store_commits_total") - commits);
    put("apiAcceptedPerSecond", commanded / seconds);
    put("apiCpuMicrosPerCommand", (server.process().cpuMicros() - cpu) / (double) commanded);
    put("apiCommandsPerCommit", group);
    for (int each : new int[] {1, (int) Math.max(2, Math.round(group)), 128}) {
      double limit = storeLimit(each);
      put("sqliteAcceptedPerSecondBy" + each, limit);
    }
  }

  /** The server is idle meanwhile: its processor is SQLite's. */
  private double storeLimit(int group) throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Path folder = options.folder().resolve("limit-" + group);
    String printed =
        Measured.ask(
            "",
            "taskset",
            "-c",
            "0",
            java,
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            StoreLimit.class.getName(),
            folder.toString(),
            String.valueOf(group),
            "3");
    String[] lines = printed.strip().split("\n");
    return Double.parseDouble(lines[lines.length - 1]);
  }

  private void sessions(FleetCertificates fleet, BeckonServer server, Nginx nginx)
      throws IOException, InterruptedException {
    int each = commanded / 2; // the rest is for the rounds
    SessionLoadConfig ours = SessionLoadConfig.saturating(server.tls(), Course.COMMANDS, OPEN);
    SessionLoadConfig theirs =
        SessionLoadConfig.saturating(nginx.address(), Course.HANDSHAKE, OPEN);
    // The first commands find a server that has compiled nothing yet.
    int next =
        show("server, cold", Round.run(ours, fleet, server.process(), 0, each, 60)).devices();
    double writes = server.metric("beckon_store_writes_total");
    double commits = server.metric("beckon_store_commits_total");
    List<Round> served = new ArrayList<>();
    List<Round> compared = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      if (round > 0 && commanded - next < FEWEST) {
        break; // a fast server has served them all
      }
      compared.add(
          counting(
              show(
                  "nginx",
                  Round.run(
                      theirs, fleet, nginx.process(), 0, options.devices(), options.seconds()))));
      served.add(
          counting(
              show(
                  "server",
                  Round.run(ours, fleet, server.process(), next, commanded, options.seconds()))));
      next += served.getLast().devices();
    }
    put(
        "sessionWritesPerCommit",
        (server.metric("beckon_store_writes_total") - writes)
            / (server.metric("beckon_store_commits_total") - commits));
    put("sessionsPerSecond", median(served, Round::perSecond));
    put("sessionServerCpuMicros", median(served, Round::serverCpuMicros));
    put("sessionLoadCorePercent", median(served, Round::loadPercent));
    put("nginxHandshakesPerSecond", median(compared, Round::perSecond));
    put("nginxCpuMicros", median(compared, Round::serverCpuMicros));
    put("nginxLoadCorePercent", median(compared, Round::loadPercent));
    put(
        "sessionsToNginxRatio",
        median(served, Round::perSecond) / median(compared, Round::perSecond));
    put(
        "sessionsToNginxCpuRatio",
        median(compared, Round::serverCpuMicros) / median(served, Round::serverCpuMicros));
    greetings(fleet, server);
    memory(fleet, server);
  }

  /** What a session without a command costs, by what the server knows of the device. */
  private void greetings(FleetCertificates fleet, BeckonServer server)
      throws IOException, InterruptedException {
    SessionLoadConfig full = SessionLoadConfig.saturating(server.tls(), Course.GREETING, OPEN);
    int from = commanded;
    int to = options.devices();
    Measured process = server.process();
    Round fresh = show("first time", Round.run(full, fleet, process, from, to, 30));
    Round known = show("known", Round.run(full, fleet, process, from, to, 30));
    Round resumed =
        show("resumed", Round.run(full.withResumption(true), fleet, process, from, to, 30, true));
    put("greetingCpuMicrosFirstTime", fresh.serverCpuMicros());
    put("greetingCpuMicrosKnownCertificate", known.serverCpuMicros());
    put("greetingCpuMicrosResumed", resumed.serverCpuMicros());
    put("greetingsResumed", (double) resumed.resumed());
  }

  /** Sessions that are open and idle, all within their linger time. */
  private void memory(FleetCertificates fleet, BeckonServer server)
      throws IOException, InterruptedException {
    while (open(server) > 0) {
      Thread.sleep(100);
    }
    Thread.sleep(SETTLE_MILLIS);
    long heap = server.liveHeapBytes();
    long resident = server.process().residentKilobytes();
    try (SessionLoad load =
        new SessionLoad(
            SessionLoadConfig.ofFleet(server.tls()), fleet, SessionLoad.Observer.NONE)) {
      for (int device = 0; device < IDLE; device++) {
        load.dial(device, 0, 0);
      }
      while (load.counts().handshakes() < IDLE) {
        Thread.sleep(5);
      }
      double open = open(server);
      put("idleSessions", open);
      put("idleSessionHeapBytes", (server.liveHeapBytes() - heap) / open);
      put(
          "idleSessionResidentBytes",
          1_024.0 * (server.process().residentKilobytes() - resident) / open);
    }
  }

  private static double open(BeckonServer server) throws IOException, InterruptedException {
    return server.metric("beckon_sessions_total") - server.metric("beckon_sessions_closed_total");
  }

  private void cold(BeckonServer server) throws IOException, InterruptedException {
    try (ColdCommands commands = new ColdCommands(server, options.folder(), COLD_DEVICES)) {
      Histogram micros = commands.measure(COLD_ROUNDS);
      put("coldCommands", (double) micros.getTotalCount());
      put("coldCommandMicrosP50", (double) micros.getValueAtPercentile(50));
      put("coldCommandMicrosP99", (double) micros.getValueAtPercentile(99));
    }
  }

  /** A ratio of rounds in which something failed would say nothing. */
  private static Round counting(Round round) throws IOException {
    if (round.devices() == 0) {
      throw new IOException("devices: all used up (expected: more of them for so many seconds)");
    }
    if (!round.failures().isEmpty()) {
      throw new IOException(
          "sessions that failed: " + round.failures() + " (expected: none in a round that counts)");
    }
    return round;
  }

  private static double median(List<Round> rounds, ToDoubleFunction<Round> figure) {
    List<Double> sorted =
        rounds.stream().map(figure::applyAsDouble).sorted(Comparator.naturalOrder()).toList();
    return sorted.get(sorted.size() / 2);
  }

  private Round show(String what, Round round) {
    out.printf(
        "%-14s %7.0f/s  server %4.0f us  core %4.0f us %3.0f%%  load %3.0f%%  p50 %6.1f ms  p99"
            + " %6.1f ms  (%d devices, %d commands) %s%n",
        what,
        round.perSecond(),
        round.serverCpuMicros(),
        round.coreCpuMicros(),
        round.serverPercent(),
        round.loadPercent(),
        round.micros().getValueAtPercentile(50) / 1e3,
        round.micros().getValueAtPercentile(99) / 1e3,
        round.devices(),
        round.commands(),
        round.failures().isEmpty() ? "" : round.failures());
    return round;
  }

  private void put(String name, double value) {
    out.printf("%-28s %.1f%n", name, value);
    figures.put(name, value);
  }

  private void write() throws IOException {
    StringBuilder json = new StringBuilder("{");
    figures.forEach(
        (name, value) ->
            json.append(json.length() > 1 ? ",\n " : "\n ")
                .append('"')
                .append(name)
                .append("\": ")
                .append(value));
    Files.writeString(options.json(), json.append("\n}\n"));
  }
}
