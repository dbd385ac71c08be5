package dev.beckon.bench.sessions;

import dev.beckon.lab.fleet.FleetCertificates;
import dev.beckon.lab.fleet.FleetFolder;
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

/** What {@code bench/sessions} runs, on processor 1; what is measured runs on processor 0. */
public final class SessionsBench {

  /** Enough to keep the server's processor busy while the load's one waits, and the other way. */
  private static final int OPEN = 128;

  private static final int ROUNDS = 3;

  private final Options options;
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
    long begin = System.nanoTime();
    FleetCertificates fleet =
        FleetFolder.provision(data, options.devices(), (what, done, total) -> {});
    put("fleetProvisionSeconds", (System.nanoTime() - begin) / 1e9);
    try (BeckonServer server =
        BeckonServer.start(options.serve(), data, options.folder().resolve("serve.log"))) {
      accept(server);
      try (Nginx nginx = Nginx.start(data, fleet, options.folder())) {
        sessions(fleet, server, nginx);
      }
    }
    write();
  }

  private void accept(BeckonServer server) throws IOException, InterruptedException {
    long cpu = server.process().cpuMicros();
    long begin = System.nanoTime();
    new ApiLoad(server).postForEach(0, options.devices());
    double seconds = (System.nanoTime() - begin) / 1e9;
    put("apiAcceptedPerSecond", options.devices() / seconds);
    put(
        "apiCpuMicrosPerCommand",
        (server.process().cpuMicros() - cpu) / (double) options.devices());
  }

  private void sessions(FleetCertificates fleet, BeckonServer server, Nginx nginx)
      throws IOException, InterruptedException {
    int each = options.devices() / (ROUNDS + 1);
    SessionLoadConfig ours = SessionLoadConfig.saturating(server.tls(), Course.COMMANDS, OPEN);
    SessionLoadConfig theirs =
        SessionLoadConfig.saturating(nginx.address(), Course.HANDSHAKE, OPEN);
    // The first commands find a server that has compiled nothing yet.
    int next =
        show("server, cold", Round.run(ours, fleet, server.process(), 0, each, 60)).devices();
    List<Round> served = new ArrayList<>();
    List<Round> compared = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      compared.add(
          show(
              "nginx",
              Round.run(theirs, fleet, nginx.process(), 0, options.devices(), options.seconds())));
      served.add(
          show(
              "server",
              Round.run(
                  ours, fleet, server.process(), next, options.devices(), options.seconds())));
      next += served.getLast().devices();
    }
    put("sessionsPerSecond", median(served, Round::perSecond));
    put("sessionServerCpuMicros", median(served, Round::serverCpuMicros));
    put("sessionCoreMicros", median(served, Round::coreCpuMicros));
    put("sessionLoadCorePercent", median(served, Round::loadPercent));
    put("nginxHandshakesPerSecond", median(compared, Round::perSecond));
    put("nginxCoreMicros", median(compared, Round::coreCpuMicros));
    put("nginxLoadCorePercent", median(compared, Round::loadPercent));
    put(
        "sessionsToNginxRatio",
        median(served, Round::perSecond) / median(compared, Round::perSecond));
    put("serverResidentKilobytes", (double) server.process().residentKilobytes());
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
