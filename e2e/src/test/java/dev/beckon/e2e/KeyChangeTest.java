package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceIdentity;
import dev.beckon.device.DeviceListener;
import dev.beckon.device.Enrollment;
import dev.beckon.device.Result;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rotation, roll-over and revocation under real devices that go on with their work. */
class KeyChangeTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @TempDir private Path folder;
  private LiveServer server;
  private final List<Running> devices = new ArrayList<>();

  /** A device and what it told. */
  private static final class Running implements DeviceListener {
    final String id;
    final AtomicInteger answered = new AtomicInteger();
    final AtomicInteger sessions = new AtomicInteger();
    final AtomicInteger closed = new AtomicInteger();
    final AtomicInteger renewed = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();
    volatile int keyId;
    volatile String lastClose = "";

    volatile @Nullable Device device;

    Running(String id) {
      this.id = id;
    }

    @Override
    public void onKeepaliveAnswered(InetSocketAddress mapped, InetSocketAddress from) {
      answered.incrementAndGet();
    }

    @Override
    public void onSessionOpened(int number, long wakeId) {
      sessions.incrementAndGet();
    }

    @Override
    public void onSessionClosed(int number, String reason) {
      lastClose = reason;
      closed.incrementAndGet();
    }

    @Override
    public void onDialFailed(int number, InetSocketAddress at, String reason) {
      failed.incrementAndGet();
    }

    @Override
    public void onRenewed(int newKeyId, Instant validUntil) {
      keyId = newKeyId;
      renewed.incrementAndGet();
    }
  }

  @BeforeEach
  void startServer() throws Exception {
    server = LiveServer.start(folder.resolve("server"), false);
  }

  @AfterEach
  void stop() throws Exception {
    for (Running running : devices) {
      Device device = running.device;
      if (device != null) {
        device.close();
      }
    }
    server.close();
  }

  private Running start(String id) throws Exception {
    return start(id, server.code(id));
  }

  private Running start(String id, String code) throws Exception {
    return run(id, Enrollment.enroll(EnrollmentCode.parse(code), folder.resolve(id)));
  }

  private Running run(String id, DeviceIdentity identity) throws Exception {
    Running running = new Running(id);
    running.device =
        Device.builder()
            .identity(identity)
            .interval(Duration.ofSeconds(1))
            .lab()
            .listener(running)
            .action("echo", command -> Result.of("text", command.text("text")))
            .build()
            .start();
    devices.add(running);
    until(id + " is known", () -> running.closed.get() > 0); // it told its actions
    return running;
  }

  private JsonNode get(String path) throws Exception {
    return JSON.readTree(server.exchange(server.request(path).GET()));
  }

  private JsonNode delete(String path) throws Exception {
    return JSON.readTree(server.exchange(server.request(path).DELETE()));
  }

  private void wakeAll() throws Exception {
    for (Running running : devices) {
      assertThat(
              server.post("/v1/devices/" + running.id + "/wakes", "{}").path("deadline").asText())
          .isNotEmpty();
    }
  }

  private void assertEchoes(Running running) throws Exception {
    JsonNode command = server.send(running.id, "echo", "{\"text\": \"hello\"}");
    assertThat(command.path("state").asText()).as("%s", command).isEqualTo("SUCCEEDED");
  }

  private long datagrams(String outcome) throws Exception {
    String metrics =
        new String(server.exchange(server.request("/metrics").GET()), StandardCharsets.UTF_8);
    Matcher line =
        Pattern.compile("beckon_datagrams_total\\{outcome=\"" + outcome + "\"} (\\d+)")
            .matcher(metrics);
    assertThat(line.find()).as(metrics).isTrue();
    return Long.parseLong(line.group(1));
  }

  private static void until(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("waited too long: " + what).isLessThan(end);
      LockSupport.parkNanos(20_000_000);
    }
  }

  @Test
  void noGenuineKeepaliveIsRefusedWhileDevicesMoveToANewMasterKey() throws Exception {
    Running kitchen = start("kitchen");
    Running cellar = start("cellar");

    assertThat(server.post("/v1/keys", "{}").path("id").asInt()).isEqualTo(2);
    assertThat(delete("/v1/keys/1").path("code").asText()).isEqualTo("key-in-use");
    wakeAll();
    until(
        "both use key 2", () -> get("/v1/keys").path("keys").path(1).path("devices").asInt() == 2);

    assertThat(kitchen.renewed).hasValue(1);
    assertThat(cellar.keyId).isEqualTo(2);
    assertThat(delete("/v1/keys/1").path("devices").asInt()).isZero();
    int before = kitchen.answered.get();
    until("keepalives go on", () -> kitchen.answered.get() >= before + 3);
    assertEchoes(kitchen);
    assertEchoes(cellar);
    assertThat(kitchen.renewed).as("once is enough").hasValue(1);
    assertThat(datagrams("unknown-key")).isZero();
    assertThat(datagrams("not-authentic")).isZero();
    assertThat(DeviceIdentity.load(folder.resolve("kitchen")).keyId()).as("kept").isEqualTo(2);
  }

  @Test
  void rollsTheCaOverUnderDevicesThatKnowOnlyTheOldRoot() throws Exception {
    Running kitchen = start("kitchen");
    String madeBefore = server.code("cellar");

    assertThat(server.post("/v1/ca-roots", "{}").path("roots")).hasSize(2);
    Running cellar = start("cellar", madeBefore);
    Running attic = start("attic");
    assertThat(delete("/v1/ca-roots/older").path("code").asText()).isEqualTo("root-in-use");
    wakeAll();
    until(
        "all have moved",
        () -> get("/v1/ca-roots").path("roots").path(1).path("devices").asInt() == 3);

    assertThat(kitchen.renewed).as("knew only the old root").hasValue(1);
    assertThat(cellar.renewed).as("enrolled since").hasValue(0);
    assertThat(delete("/v1/ca-roots/older").path("devices").asInt()).isZero();
    for (Running running : List.of(kitchen, cellar, attic)) {
      assertEchoes(running);
      assertThat(running.failed).as("failed dials").hasValue(0);
    }
    Objects.requireNonNull(kitchen.device).close();
    devices.remove(kitchen);
    Running restarted = new Running("kitchen");
    restarted.device =
        Device.builder()
            .identity(DeviceIdentity.load(folder.resolve("kitchen")))
            .interval(Duration.ofSeconds(1))
            .lab()
            .listener(restarted)
            .action("echo", command -> Result.of("text", command.text("text")))
            .build()
            .start();
    devices.add(restarted);
    until("keepalives", () -> restarted.answered.get() > 1);
    assertEchoes(restarted);
  }

  @Test
  void revocationEndsSessionsNewDialsAndKeepalivesWithinFiveSeconds() throws Exception {
    Running kitchen = start("kitchen");
    int closed = kitchen.closed.get();
    int sessions = kitchen.sessions.get();
    wakeAll();
    until("a session is open", () -> kitchen.sessions.get() > sessions);

    long revokedNanos = System.nanoTime();
    server.post("/v1/devices/kitchen/revocation", "{}");

    until("the session ended", () -> kitchen.closed.get() > closed);
    assertThat(Duration.ofNanos(System.nanoTime() - revokedNanos))
        .isLessThan(Duration.ofSeconds(5));
    assertThat(kitchen.lastClose).isEqualTo("revoked");
    until("keepalives are dropped", () -> datagrams("denied") > 0);
    int answered = kitchen.answered.get();
    long denied = datagrams("denied");
    until("for good", () -> datagrams("denied") > denied + 2);
    assertThat(kitchen.answered).hasValue(answered);
  }

  @Test
  void anEnrolledAgainDeviceTakesOverFromItsFormerSelf() throws Exception {
    Running former = start("kitchen");
    String code = server.code("kitchen");
    DeviceIdentity identity =
        Enrollment.enroll(EnrollmentCode.parse(code), folder.resolve("new kitchen"));
    assertThat(identity.generation()).isEqualTo(2);
    until("the former one's keepalives are dropped", () -> datagrams("denied") > 0);
    Running next = run("kitchen", identity);

    assertEchoes(next);
    assertThat(former.renewed).hasValue(0);
  }
}
