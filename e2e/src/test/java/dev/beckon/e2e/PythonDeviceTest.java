package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A device that shares no code with ours, written from docs/PROTOCOL.md alone, with a real server:
 * the page is enough.
 */
class PythonDeviceTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private LiveServer server;

  @BeforeEach
  void startServer() throws IOException {
    server = LiveServer.start(folder.resolve("server"), false);
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"push", "inquiry"})
  void isWokenAndRunsWhatItIsTold(String delivery) throws IOException, InterruptedException {
    enroll("kitchen");
    try (PythonDevice device = run("--delivery", delivery)) {
      device.awaitLine("keepalive-answered mapped=127.0.0.1:");

      JsonNode first =
          server.send("kitchen", "echo", "{\"text\": \"hello\", \"size\": \"größer\"}");

      assertThat(first.path("state").asText()).as("%s", first).isEqualTo("SUCCEEDED");
      assertThat(first.path("result").path("text").asText()).isEqualTo("hello");
      assertThat(first.path("result").path("size").asText()).isEqualTo("größer");
      String id = first.path("id").asText();
      device.awaitLine("wake id=");
      device.awaitLine("command " + id + " DELIVERED");
      device.awaitLine("receipt " + id);

      JsonNode second = server.send("kitchen", "echo", "{\"text\": \"again\"}");
      assertThat(second.path("result").path("text").asText()).isEqualTo("again");
      device.awaitLine("receipt " + second.path("id").asText());
      device.awaitLine("session-closed bye reason=1"); // idle

      JsonNode third = server.send("kitchen", "echo", "{\"text\": \"woken again\"}");
      assertThat(third.path("state").asText()).as("%s", third).isEqualTo("SUCCEEDED");
      device.awaitLine("wake id=");
    }
  }

  @Test
  void declaresItsActionsSoThatTheServerRefusesWhatItLacks()
      throws IOException, InterruptedException {
    enroll("kitchen");
    try (PythonDevice device = run()) {
      device.awaitLine("keepalive-answered");
      server.send("kitchen", "echo", "{}");

      JsonNode refused = server.send("kitchen", "self-destruct", "{}");

      assertThat(refused.path("status").asInt()).as("%s", refused).isBetween(400, 499);
      assertThat(refused.path("detail").asText()).contains("self-destruct");
    }
  }

  @Test
  void givesABodyOfSeveralChunksBack() throws IOException, InterruptedException {
    byte[] body = new byte[100_000];
    new Random(5).nextBytes(body);
    enroll("kitchen");
    try (PythonDevice device = run()) {
      device.awaitLine("keepalive-answered");

      JsonNode command =
          JSON.readTree(
              server.exchange(
                  server
                      .request("/v1/devices/kitchen/commands?wait=60s")
                      .header("Content-Type", "multipart/form-data; boundary=cut-here")
                      .POST(multipart("{\"action\": \"echo\", \"deadline\": \"60s\"}", body))));

      assertThat(command.path("state").asText()).as("%s", command).isEqualTo("SUCCEEDED");
      String id = command.path("id").asText();
      assertThat(server.exchange(server.request("/v1/commands/" + id + "/body"))).isEqualTo(body);
    }
  }

  @Test
  void aPowerCutAfterTheEndDoesNotRunACommandTwice() throws IOException, InterruptedException {
    enroll("kitchen");
    String id;
    try (PythonDevice device = run()) {
      device.awaitLine("keepalive-answered");
      id = server.send("kitchen", "echo", "{\"text\": \"once\"}").path("id").asText();
      device.awaitLine("command " + id + " SUCCEEDED");
    }
    try (PythonDevice device = run()) {
      device.awaitLine("keepalive-answered");
      JsonNode next = server.send("kitchen", "echo", "{\"text\": \"next\"}");

      // Were the first command run again, its line would come before that of the next.
      String started = device.awaitLine("command ");
      assertThat(started).isEqualTo("command " + next.path("id").asText() + " DELIVERED");
      assertThat(started).doesNotContain(id);
    }
  }

  @Test
  void enrollsAgainWithTheSameCodeAndKeyButNotWithAnotherKey()
      throws IOException, InterruptedException {
    String code = server.code("kitchen");
    assertThat(enrollWith(code, "device")).isZero();
    assertThat(enrollWith(code, "device")).isZero();

    try (PythonDevice thief =
        PythonDevice.start("enroll", code, "--data", folder.resolve("thief").toString())) {
      assertThat(thief.awaitLine("enrollment: refused")).contains("enrollment-code-used");
      assertThat(thief.exitCode()).isEqualTo(1);
    }
  }

  private void enroll(String id) throws IOException, InterruptedException {
    assertThat(enrollWith(server.code(id), "device")).isZero();
  }

  private int enrollWith(String code, String data) throws IOException, InterruptedException {
    try (PythonDevice device =
        PythonDevice.start("enroll", code, "--data", folder.resolve(data).toString())) {
      device.awaitLine("enrolled device=kitchen generation=1");
      return device.exitCode();
    }
  }

  private PythonDevice run(String... more) throws IOException {
    String[] arguments = new String[more.length + 6];
    List<String> always =
        List.of("run", "--data", folder.resolve("device").toString(), "--lab", "--interval", "3");
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = i < 6 ? always.get(i) : more[i - 6];
    }
    return PythonDevice.start(arguments);
  }

  private static BodyPublisher multipart(String command, byte[] body) {
    String begin =
        """
        --cut-here\r
        Content-Disposition: form-data; name="command"\r
        Content-Type: application/json\r
        \r
        %s\r
        --cut-here\r
        Content-Disposition: form-data; name="body"; filename="body"\r
        Content-Type: application/octet-stream\r
        \r
        """
            .formatted(command);
    return BodyPublishers.concat(
        BodyPublishers.ofString(begin),
        BodyPublishers.ofByteArray(body),
        BodyPublishers.ofString("\r\n--cut-here--\r\n"));
  }
}
