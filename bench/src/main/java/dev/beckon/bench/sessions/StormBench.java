package dev.beckon.bench.sessions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.lab.fleet.FleetCertificates;
import dev.beckon.lab.fleet.FleetFolder;
import dev.beckon.lab.fleet.FleetIds;
import dev.beckon.lab.fleet.LoadKind;
import dev.beckon.lab.fleet.SessionLoad;
import dev.beckon.lab.fleet.SessionLoadConfig;
import dev.beckon.lab.fleet.Simulation;
import dev.beckon.lab.fleet.SimulationPlan;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.session.Command;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.store.Database;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * A group command to very many devices, while single commands go to others: how long both take,
 * whether keepalives are lost meanwhile, and what the server needs.
 *
 * <p>Arguments: a folder for the server's data, the file for the figures, the number of devices,
 * then the command that starts the server; without that the folder is only made ready, which is
 * best done on all processors. The folder may be used again.
 */
final class StormBench {

  /** Devices besides those of the group: each is left alone for longer than a session lingers. */
  private static final int PROGRESS_SECONDS = 10;

  private static final int OTHERS = 200;

  private static final int SINGLE_MILLIS = 100;
  private static final int INTERVAL_SECONDS = 60;
  private static final int SOURCES = 256;
  private static final Duration CALM = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofSeconds(220);
  private static final int LABELS_PER_COMMIT = 5_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final int devices;
  private final BeckonServer server;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Map<Integer, Long> postedNanos = new ConcurrentHashMap<>();
  private final Histogram calm = new Histogram(TimeUnit.MINUTES.toMicros(5), 3);
  private final Histogram storm = new Histogram(TimeUnit.MINUTES.toMicros(5), 3);
  private final List<Long> residentKilobytes = Collections.synchronizedList(new ArrayList<>());
  private volatile boolean storming;
  private volatile boolean over;
  private int posted;

  private StormBench(int devices, BeckonServer server) {
    this.devices = devices;
    this.server = server;
  }

  public static void main(String[] args) throws Exception {
    Path data = Path.of(args[0]).resolve("data");
    int devices = Integer.parseInt(args[2]);
    Path enough = Path.of(args[0]).resolve("devices-" + devices);
    if (!Files.exists(enough)) {
      FleetFolder.provision(data, devices + OTHERS, StormBench::progress);
      label(data, devices);
      Files.writeString(enough, "");
    }
    List<String> serve = List.of(args).subList(3, args.length);
    if (serve.isEmpty()) {
      return;
    }
    FleetCertificates fleet = FleetCertificates.open(data);
    try (BeckonServer server =
        BeckonServer.start(serve, data, Path.of(args[0]).resolve("serve.log"))) {
      ObjectNode figures = new StormBench(devices, server).run(data, fleet);
      Files.writeString(Path.of(args[1]), figures.toPrettyString() + "\n");
      figures
          .properties()
          .forEach(
              each -> System.out.printf(Locale.ROOT, "%-36s %s%n", each.getKey(), each.getValue()));
    }
  }

  private static void label(Path data, int devices) {
    try (Database database = Database.open(data)) {
      for (int from = 0; from < devices; from += LABELS_PER_COMMIT) {
        int begin = from;
        int end = Math.min(devices, from + LABELS_PER_COMMIT);
        database
            .write(
                sql -> {
                  for (int i = begin; i < end; i++) {
                    sql.update(
                        "INSERT OR IGNORE INTO labels (label, device_id) VALUES ('storm', ?)",
                        FleetIds.of(i).value());
                  }
                  return end - begin;
                })
            .join();
      }
    }
  }

  private ObjectNode run(Path data, FleetCertificates fleet)
      throws IOException, InterruptedException, ExecutionException {
    SimulationPlan plan =
        new SimulationPlan(
            server.udp(),
            LoadKind.KEEPALIVE,
            devices + OTHERS,
            SOURCES,
            0,
            true,
            Interval.of(Duration.ofSeconds(INTERVAL_SECONDS)),
            1);
    SessionLoad.Observer observer =
        new SessionLoad.Observer() {
          @Override
          public void commandCame(int device, Command command, long nowNanos) {
            running(device, nowNanos);
          }
        };
    try (SessionLoad sessions =
        new SessionLoad(SessionLoadConfig.ofFleet(server.tls()), fleet, observer)) {
      CompletableFuture<Map<String, Number>> paced = new CompletableFuture<>();
      CompletableFuture<Void> ready = new CompletableFuture<>();
      Thread keepalives =
          Thread.ofPlatform()
              .name("keepalives")
              .start(() -> keepalives(plan, data, sessions, ready, paced));
      ready.get();
      ObjectNode figures = course();
      over = true;
      keepalives.join();
      report(figures, paced.get(), sessions);
      return figures;
    }
  }

  /** Of one thread: the simulation belongs to it. */
  private void keepalives(
      SimulationPlan plan,
      Path data,
      SessionLoad sessions,
      CompletableFuture<Void> ready,
      CompletableFuture<Map<String, Number>> paced) {
    try (Simulation simulation =
        new Simulation(
            plan,
            MasterKeys.read(data.resolve("master.keys")),
            System::nanoTime,
            InstantSource.system())) {
      simulation.setUp(StormBench::progress, () -> over);
      ready.complete(null);
      paced.complete(
          simulation.pace(
              devices + OTHERS,
              CALM.multipliedBy(2).plus(PATIENCE).plusSeconds(60),
              sessions,
              (seconds, counts, before, median, p99) -> {},
              () -> over));
    } catch (IOException | RuntimeException e) {
      ready.completeExceptionally(e);
      paced.completeExceptionally(e);
    }
  }

  /** First single commands alone, then the group command with single ones beside it. */
  private ObjectNode course() throws IOException, InterruptedException {
    singles(CALM, false, "");
    residentKilobytes.clear();
    storming = true;
    long beginNanos = System.nanoTime();
    String id =
        call("POST", "/v1/commands", "{\"labels\":[\"storm\"],\"action\":\"echo\"}")
            .path("id")
            .asText();
    double acceptedMillis = (System.nanoTime() - beginNanos) / 1e6;
    JsonNode group = singles(PATIENCE, true, "/v1/commands/" + id);
    double seconds = (System.nanoTime() - beginNanos) / 1e9;
    ObjectNode figures = JSON.createObjectNode();
    figures.put("devices", devices);
    figures.put("acceptedMillis", rounded(acceptedMillis));
    figures.put("endedWithinTheTime", group.has("endedAt"));
    figures.put("totalSeconds", rounded(seconds));
    figures.put(
        "devicesPerSecond", rounded(group.path("counts").path("SUCCEEDED").asInt() / seconds));
    group
        .path("counts")
        .properties()
        .forEach(
            state ->
                figures.put(
                    "commands"
                        + state.getKey().charAt(0)
                        + state.getKey().substring(1).toLowerCase(Locale.ROOT),
                    state.getValue().asInt()));
    return figures;
  }

  /** Posts single commands at a steady rate until the group has ended, or the time is over. */
  private JsonNode singles(Duration length, boolean untilEnded, String path)
      throws IOException, InterruptedException {
    long beginNanos = System.nanoTime();
    long nextSecond = beginNanos;
    JsonNode group = JSON.createObjectNode();
    for (long next = beginNanos; next - beginNanos < length.toNanos(); ) {
      post();
      if (System.nanoTime() - nextSecond >= 0) {
        nextSecond += TimeUnit.SECONDS.toNanos(1);
        residentKilobytes.add(server.process().residentKilobytes());
        if (untilEnded) {
          group = call("GET", path, "");
          if (residentKilobytes.size() % PROGRESS_SECONDS == 0) {
            System.err.printf(Locale.ROOT, "%d of %d commands ended%n", ended(group), devices);
          }
          if (group.has("endedAt")) {
            return group;
          }
        }
      }
      next += TimeUnit.MILLISECONDS.toNanos(SINGLE_MILLIS);
      LockSupport.parkNanos(next - System.nanoTime());
    }
    return group;
  }

  private static int ended(JsonNode group) {
    JsonNode counts = group.path("counts");
    return group.path("devices").asInt()
        - counts.path("QUEUED").asInt()
        - counts.path("DELIVERED").asInt()
        - counts.path("RUNNING").asInt();
  }

  /** Without waiting for the answer: a slow one must not thin the load out. */
  private void post() {
    int device = devices + posted++ % OTHERS;
    DeviceId id = FleetIds.of(device);
    postedNanos.put(device, System.nanoTime());
    var _ =
        http.sendAsync(
                request("POST", "/v1/devices/" + id + "/commands", "{\"action\":\"echo\"}"),
                BodyHandlers.ofString())
            .whenComplete(
                (answer, failure) -> {
                  if (failure != null || answer.statusCode() != 201) {
                    System.out.println(
                        "a single command was refused: "
                            + (failure != null ? failure : answer.body()));
                  }
                });
  }

  private void running(int device, long nowNanos) {
    Long since = device < devices ? null : postedNanos.remove(device);
    if (since != null) {
      Histogram latency = storming ? storm : calm;
      synchronized (latency) {
        latency.recordValue(TimeUnit.NANOSECONDS.toMicros(nowNanos - since));
      }
    }
  }

  private void report(ObjectNode figures, Map<String, Number> paced, SessionLoad sessions)
      throws IOException, InterruptedException {
    latency(figures, "singleCalm", calm);
    latency(figures, "singleInStorm", storm);
    figures.put("singlesUnanswered", postedNanos.size());
    figures.put("residentStartMegabytes", residentKilobytes.getFirst() / 1024);
    figures.put("residentMostMegabytes", Collections.max(residentKilobytes) / 1024);
    figures.put("residentEndMegabytes", residentKilobytes.getLast() / 1024);
    figures.put(
        "sessionsFailed",
        sessions.counts().failures().values().stream().mapToLong(Long::longValue).sum());
    for (String name : List.of("lossPercent", "requests", "unanswered", "wakes", "wakesRefused")) {
      Number value = paced.get(name);
      if (value instanceof Double number) {
        figures.put("keepalives" + upper(name), number);
      } else if (value != null) {
        figures.put("keepalives" + upper(name), value.longValue());
      }
    }
    String metrics = text("/metrics");
    for (String line : metrics.lines().toList()) {
      if (line.startsWith("beckon_group_pace_per_second ")) {
        figures.put("paceAtEndPerSecond", Long.parseLong(line.substring(line.indexOf(' ') + 1)));
      }
    }
  }

  private static String upper(String name) {
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  private static void latency(ObjectNode figures, String name, Histogram latency) {
    figures.put(name + "Count", latency.getTotalCount());
    figures.put(name + "P50Millis", rounded(latency.getValueAtPercentile(50) / 1e3));
    figures.put(name + "P99Millis", rounded(latency.getValueAtPercentile(99) / 1e3));
    figures.put(name + "MaxMillis", rounded(latency.getMaxValue() / 1e3));
  }

  private static double rounded(double value) {
    return Math.round(value * 10) / 10.0;
  }

  private HttpRequest request(String method, String path, String body) {
    InetSocketAddress api = server.http();
    return HttpRequest.newBuilder(
            URI.create("http://" + api.getAddress().getHostAddress() + ":" + api.getPort() + path))
        .header("Authorization", "Bearer " + server.token())
        .header("Content-Type", "application/json")
        .method(method, BodyPublishers.ofString(body))
        .build();
  }

  private JsonNode call(String method, String path, String body)
      throws IOException, InterruptedException {
    HttpResponse<String> answer = http.send(request(method, path, body), BodyHandlers.ofString());
    if (answer.statusCode() >= 300) {
      throw new IOException("API: " + answer.statusCode() + " " + answer.body());
    }
    return JSON.readTree(answer.body());
  }

  private String text(String path) throws IOException, InterruptedException {
    return http.send(request("GET", path, ""), BodyHandlers.ofString()).body();
  }

  private static void progress(String what, long done, long all) {
    if (done % Math.max(1, all / 10) == 0) {
      System.err.printf(Locale.ROOT, "%s: %d of %d%n", what, done, all);
    }
  }
}
