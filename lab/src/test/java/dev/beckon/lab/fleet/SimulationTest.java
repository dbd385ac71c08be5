package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.server.Server;
import dev.beckon.server.ServerConfig;
import dev.beckon.server.identity.MasterKeys;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole fleet against a whole server, on loopback. */
@NullMarked
final class SimulationTest {
  private static final int DEVICES = 3_000;
  private static final int WOKEN = 1_234;
  private static final int MOST_QUESTIONS = 1_000;
  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir Path data;

  @SuppressWarnings("NullAway.Init")
  private Server server;

  private final Map<Integer, Long> dialled = new HashMap<>();
  private final SessionDialler dialler =
      new SessionDialler() {
        @Override
        public void dial(int device, long wakeId, long delayMillis) {
          dialled.put(device, wakeId);
        }

        @Override
        public void close() {}
      };

  @BeforeEach
  void start() throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server =
        Server.start(
            ServerConfig.at(data)
                .udp(List.of(any))
                .tls(any)
                .http(any)
                .advertise("127.0.0.1")
                .publicStun(true)
                .build());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private SimulationPlan plan(LoadKind kind, boolean segments) {
    InetSocketAddress address = server.udpAddresses().getFirst();
    return new SimulationPlan(address, kind, DEVICES, 24, 0, segments, new Interval(1), 1);
  }

  private Simulation simulation(SimulationPlan plan) throws IOException {
    @Nullable MasterKeys keys =
        plan.kind() == LoadKind.STUN ? null : MasterKeys.read(data.resolve("master.keys"));
    return new Simulation(plan, keys, System::nanoTime, InstantSource.system());
  }

  private HttpResponse<String> ask(String method, String path, String body) {
    try (HttpClient client = HttpClient.newHttpClient()) {
      String token = Files.readString(data.resolve("admin.token")).strip();
      URI uri = URI.create("http://" + SocketAddresses.format(server.httpAddress()) + path);
      return client.send(
          HttpRequest.newBuilder(uri)
              .header("Authorization", "Bearer " + token)
              .header("Content-Type", "application/json")
              .method(method, HttpRequest.BodyPublishers.ofString(body))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  @Test
  void pacedDevicesAreAnsweredAndAWokenOneDialsOnce() throws IOException {
    AtomicBoolean done = new AtomicBoolean();
    assertThat(ask("POST", "/v1/devices", "{\"id\":\"" + FleetIds.of(WOKEN) + "\"}").statusCode())
        .isEqualTo(201);
    try (Simulation simulation = simulation(plan(LoadKind.KEEPALIVE, true))) {
      Map<String, Number> setUp = simulation.setUp((what, count, total) -> {}, () -> false);
      assertThat(setUp).containsEntry("devicesSetUp", DEVICES);

      Map<String, Number> figures =
          simulation.pace(
              DEVICES,
              LONG,
              dialler,
              (seconds, counts, before, median, p99) -> {
                if (seconds == 1 || counts.wakes() == 0 && before.wakes() == 0) {
                  String path = "/v1/devices/" + FleetIds.of(WOKEN) + "/wakes";
                  assertThat(ask("POST", path, "").statusCode()).isEqualTo(202);
                }
                done.set(counts.wakes() > 0);
              },
              done::get);

      System.out.println(figures);
      assertThat(dialled).containsOnlyKeys(WOKEN);
      assertThat(figures).containsEntry("wakes", 1L).containsEntry("wakesRefused", 0L);
      assertThat(figures)
          .containsEntry("forgedDatagrams", 0L)
          .containsEntry("staleAnswers", 0L)
          .containsEntry("unprovenAnswers", 0L);
      assertThat(figures.getOrDefault("answered", 0).longValue()).isPositive();
      assertThat(ask("GET", "/metrics", "").body())
          .containsPattern("outcome=\"wake-answer\"\\} [1-9]")
          .contains("beckon_bindings " + DEVICES)
          .contains("outcome=\"not-authentic\"} 0");
    }
  }

  @Test
  void aSaturatedServerAnswersWithAndWithoutSegments() throws IOException {
    for (boolean segments : List.of(true, false)) {
      try (Simulation simulation = simulation(plan(LoadKind.KEEPALIVE, segments))) {
        simulation.setUp((what, done, total) -> {}, () -> false);
        Map<String, Number> figures =
            simulation.saturate(Duration.ofSeconds(1), (what, done, total) -> {}, () -> false);
        System.out.println(figures);
        assertThat(figures)
            .containsEntry("forgedAnswers", 0L)
            .containsEntry("staleAnswers", 0L)
            .containsEntry("unprovenAnswers", 0L);
        assertThat(figures.getOrDefault("answeredPerSecond", 0).longValue()).isPositive();
      }
    }
  }

  @Test
  void oneWayKeepalivesAreCountedThoughNobodyAnswers() throws IOException {
    try (Simulation simulation = simulation(plan(LoadKind.ONE_WAY, true))) {
      simulation.setUp((what, done, total) -> {}, () -> false);
      long before = accepted();
      Map<String, Number> figures =
          simulation.saturate(Duration.ofSeconds(1), (what, done, total) -> {}, () -> false);
      System.out.println(figures);
      assertThat(figures.getOrDefault("takenPerSecond", 0).longValue()).isPositive();
      assertThat(figures).containsEntry("answeredPerSecond", 0L);
      long taken =
          figures.getOrDefault("sentInAll", 0).longValue()
              - figures.getOrDefault("droppedInAll", 0).longValue();
      long accepted = accepted() - before;
      for (int asked = 0; accepted < taken && asked < MOST_QUESTIONS; asked++) {
        accepted = accepted() - before; // the last ones may still wait in the server's socket
      }
      assertThat(accepted).isEqualTo(taken).isPositive();
    }
  }

  @Test
  void nothingIsSaidOfAServerThatEndsMeanwhile() throws IOException {
    try (Simulation simulation = simulation(plan(LoadKind.ONE_WAY, true))) {
      simulation.setUp((what, done, total) -> {}, () -> false);
      AtomicBoolean closed = new AtomicBoolean();
      assertThatThrownBy(
              () ->
                  simulation.saturate(
                      Duration.ofSeconds(2),
                      (what, done, total) -> {
                        if (what.equals("seconds measured") && !closed.getAndSet(true)) {
                          server.close();
                        }
                      },
                      () -> false))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("server: its socket is gone");
    }
  }

  private long accepted() {
    return ask("GET", "/metrics", "")
        .body()
        .lines()
        .filter(line -> line.startsWith("beckon_datagrams_total{outcome=\"accepted\"}"))
        .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(' ') + 1)))
        .sum();
  }

  @Test
  void strangersAreAnsweredWithoutKeys() throws IOException {
    try (Simulation simulation = simulation(plan(LoadKind.STUN, true))) {
      assertThat(simulation.setUp((what, done, total) -> {}, () -> false)).isEmpty();
      Map<String, Number> figures =
          simulation.saturate(Duration.ofSeconds(1), (what, done, total) -> {}, () -> false);
      System.out.println(figures);
      assertThat(figures.getOrDefault("answeredPerSecond", 0).longValue()).isPositive();
    }
  }

  @Test
  void aServerWithOtherKeysIsNamedAsTheReasonForSilence() throws IOException {
    MasterKeys others = MasterKeys.openOrCreate(Files.createDirectory(data.resolve("others")));
    SimulationPlan few =
        new SimulationPlan(
            server.udpAddresses().getFirst(),
            LoadKind.KEEPALIVE,
            10,
            1,
            0,
            true,
            new Interval(1),
            1);
    try (Simulation simulation =
        new Simulation(few, others, System::nanoTime, InstantSource.system())) {
      assertThatThrownBy(() -> simulation.setUp((what, done, total) -> {}, () -> false))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("10 of 10 devices got no answer");
    }
  }
}
