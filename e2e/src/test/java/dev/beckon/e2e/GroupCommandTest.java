package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.device.Action;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceIdentity;
import dev.beckon.device.DeviceListener;
import dev.beckon.device.Enrollment;
import dev.beckon.device.Result;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Group commands to real devices, from a server that is a process and may be killed. */
@NullMarked
@Timeout(300)
final class GroupCommandTest {
  private static final int DEVICES = 40;
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private final Map<String, AtomicInteger> runs = new ConcurrentHashMap<>();
  private final Map<String, Device> devices = new ConcurrentHashMap<>();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger open = new AtomicInteger();
  private @Nullable Process server;

  /** What the server's line says, after its first start: the same ports again. */
  private String udp = "127.0.0.1:0";

  private String tls = "127.0.0.1:0";
  private String api = "127.0.0.1:0";

  @BeforeEach
  void startIdleDevices() throws Exception {
    startServer();
    for (int i = 0; i < DEVICES; i++) {
      String id = "device-" + i;
      EnrollmentCode code =
          EnrollmentCode.parse(
              call("POST", "/v1/devices", "{\"id\": \"" + id + "\"}")
                  .path("enrollmentCode")
                  .asText());
      Enrollment.enroll(code, folder.resolve(id));
      call(
          "PUT",
          "/v1/devices/" + id + "/labels",
          i == 0 ? "{\"labels\": [\"odd\"]}" : "{\"labels\": [\"all\", \"hall\"]}");
      start(id);
    }
    // Each dials in once to tell its actions; idle is who has no session any more.
    while (ended.get() < DEVICES || open.get() > 0) {
      pause();
    }
  }

  private void start(String id) throws IOException {
    AtomicInteger count = runs.computeIfAbsent(id, first -> new AtomicInteger());
    devices.put(
        id,
        Device.builder()
            .identity(DeviceIdentity.load(folder.resolve(id)))
            .action(Action.named("count"), command -> Result.of("runs", count.incrementAndGet()))
            .listener(
                new DeviceListener() {
                  @Override
                  public void onSessionOpened(int number, long wakeId) {
                    open.incrementAndGet();
                  }

                  @Override
                  public void onSessionClosed(int number, String reason) {
                    open.decrementAndGet();
                    ended.incrementAndGet();
                  }

                  @Override
                  public void onKeepaliveAnswered(
                      InetSocketAddress mapped, InetSocketAddress answering) {}
                })
            .build()
            .start());
  }

  @AfterEach
  void stop() throws IOException {
    for (Device device : devices.values()) {
      device.close();
    }
    killServer();
    http.close();
  }

  @Test
  void everyDeviceOfTheGroupRunsItsCommandOnce() throws Exception {
    JsonNode group = toTheEnd(send());

    assertThat(group.path("devices").asInt()).isEqualTo(DEVICES - 1);
    assertThat(group.path("counts").path("SUCCEEDED").asInt()).isEqualTo(DEVICES - 1);
    assertThat(runs.get("device-0")).as("not in the group").hasValue(0);
    assertRunOnce();
    JsonNode one = call("GET", "/v1/commands?device=device-7", "").path("commands").path(0);
    List<String> events = new ArrayList<>();
    one.path("timeline").forEach(entry -> events.add(entry.path("event").asText()));
    assertThat(events)
        .contains("queued", "wake-sent", "session-opened", "delivered", "started", "finished");
  }

  @Test
  void goesOnWhereItWasWhenTheServerWasKilled() throws Exception {
    String group = send();
    int before = 0;
    while (before < 3) {
      pause();
      before = succeeded(group);
    }
    killServer();
    assertThat(before).as("killed in the midst").isLessThan(DEVICES - 1);
    startServer();

    JsonNode whole = toTheEnd(group);

    System.out.printf("%d of %d had succeeded before the kill%n", before, DEVICES - 1);
    assertThat(whole.path("counts").path("SUCCEEDED").asInt()).isEqualTo(DEVICES - 1);
    assertRunOnce();
  }

  @Test
  void isMadeWholeWhenTheServerWasKilledRightAfterItAccepted() throws Exception {
    String group = send();
    killServer();
    startServer();

    JsonNode whole = toTheEnd(group);

    assertThat(whole.path("counts").path("SUCCEEDED").asInt()).isEqualTo(DEVICES - 1);
    assertRunOnce();
  }

  @Test
  void aDeviceThatIsAwayHasItsTurnWhenItIsBack() throws Exception {
    Objects.requireNonNull(devices.get("device-3")).close();
    String group = send();
    while (succeeded(group) < DEVICES - 2) {
      pause();
    }
    assertThat(call("GET", "/v1/commands/" + group, "").has("endedAt")).isFalse();

    start("device-3");

    assertThat(toTheEnd(group).path("counts").path("SUCCEEDED").asInt()).isEqualTo(DEVICES - 1);
    assertRunOnce();
  }

  private String send() throws IOException, InterruptedException {
    return call(
            "POST",
            "/v1/commands",
            "{\"labels\": [\"all\", \"hall\"], \"action\": \"count\", \"deadline\": \"10m\"}")
        .path("id")
        .asText();
  }

  private int succeeded(String group) throws IOException, InterruptedException {
    return call("GET", "/v1/commands/" + group, "").path("counts").path("SUCCEEDED").asInt();
  }

  private JsonNode toTheEnd(String group) throws IOException, InterruptedException {
    long until = System.nanoTime() + PATIENCE.toNanos();
    JsonNode now;
    do {
      now = call("GET", "/v1/commands/" + group + "?wait=10s", "");
    } while (!now.has("endedAt") && System.nanoTime() - until < 0);
    assertThat(now.has("endedAt")).as("ended: " + now).isTrue();
    return now;
  }

  private void assertRunOnce() {
    runs.forEach((id, count) -> assertThat(count).as(id).hasValue(id.equals("device-0") ? 0 : 1));
  }

  private static void pause() {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
  }

  private JsonNode call(String method, String path, String body)
      throws IOException, InterruptedException {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(URI.create("http://" + api + path))
                .header("Authorization", "Bearer " + Files.readString(token()).strip())
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isLessThan(300);
    return JSON.readTree(answer.body());
  }

  private Path token() {
    return folder.resolve("server").resolve("admin.token");
  }

  private void startServer() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.beckon.cli.Main"));
    command.addAll(List.of("serve", "--data", folder.resolve("server").toString()));
    command.addAll(List.of("--advertise", "127.0.0.1", "--udp", udp, "--tls", tls, "--http", api));
    Process started =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    server = started;
    BufferedReader out = started.inputReader(StandardCharsets.UTF_8);
    String line = String.valueOf(out.readLine());
    assertThat(line).startsWith("ready ");
    udp = after("udp=", line);
    tls = after("tls=", line);
    api = after("http=", line);
  }

  private static String after(String name, String line) {
    int at = line.indexOf(name) + name.length();
    return line.substring(at, line.indexOf(' ', at));
  }

  /** SIGKILL: no hook runs, nothing is flushed. */
  private void killServer() {
    Process running = server;
    if (running != null) {
      running.destroyForcibly().onExit().join();
    }
  }
}
