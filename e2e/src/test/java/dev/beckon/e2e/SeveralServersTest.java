package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceIdentity;
import dev.beckon.device.DeviceListener;
import dev.beckon.device.Enrollment;
import dev.beckon.device.Result;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.ServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device, its rendezvous server and an application server: all real, over loopback. */
class SeveralServersTest {
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  @TempDir private Path folder;
  private LiveServer rendezvous;
  private LiveServer printing;
  private Device device;
  private final CountDownLatch proceed = new CountDownLatch(1);
  private final Queue<String> events = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void start() throws IOException, InterruptedException {
    rendezvous = LiveServer.start(folder.resolve("rendezvous"), false);
    DeviceIdentity identity =
        Enrollment.enroll(
            EnrollmentCode.parse(rendezvous.code("kitchen")), folder.resolve("device"));
    int port = freePort();
    String code =
        rendezvous
            .post(
                "/v1/application-servers/7",
                "{\"name\": \"printing\", \"address\": \"127.0.0.1:" + port + "\"}")
            .path("enrollmentCode")
            .asText();
    printing =
        LiveServer.start(
            ServerConfig.at(folder.resolve("printing"))
                .udp(List.of(ANY))
                .tls(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .http(ANY)
                .advertise("127.0.0.1")
                .enroll(code)
                .build());
    device =
        Device.builder()
            .identity(identity)
            .interval(Duration.ofSeconds(1))
            .lab()
            .listener(
                new DeviceListener() {
                  @Override
                  public void onWake(int number, long wakeId, Instant deadline, String verdict) {
                    events.add("wake " + number + " " + verdict);
                  }

                  @Override
                  public void onDirectory(long version, String verdict) {
                    events.add("directory " + verdict);
                  }
                })
            .action("who", command -> Result.of("server", "" + command.serverNumber()))
            .action(
                "wait",
                command -> {
                  proceed.await();
                  return Result.ok();
                })
            .build()
            .start();
  }

  @AfterEach
  void stop() throws IOException {
    proceed.countDown();
    device.close();
    printing.close();
    rendezvous.close();
  }

  @Test
  void runsWhatAnApplicationServerWants() throws Exception {
    JsonNode command = printing.send("kitchen", "who", "{}");

    assertThat(command.path("state").asText()).as("%s", command).isEqualTo("SUCCEEDED");
    assertThat(command.path("result").path("server").asText()).isEqualTo("7");
    assertThat(events).contains("directory accepted", "wake 7 accepted");
  }

  @Test
  void servesOneServerWhileACommandOfAnotherRuns() throws Exception {
    String waiting =
        rendezvous
            .post("/v1/devices/kitchen/commands", "{\"action\": \"wait\", \"deadline\": \"60s\"}")
            .path("id")
            .asText();
    JsonNode command = printing.send("kitchen", "who", "{}");

    assertThat(command.path("result").path("server").asText()).isEqualTo("7");
    assertThat(rendezvous.get("/v1/commands/" + waiting).path("state").asText())
        .isIn("QUEUED", "DELIVERED", "RUNNING");
    proceed.countDown();
    JsonNode own = rendezvous.send("kitchen", "who", "{}");
    assertThat(own.path("result").path("server").asText()).isEqualTo("0");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
