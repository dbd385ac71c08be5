package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real server, agent and command line, and a search through everything that they print, answer
 * and write: a secret is nowhere once its command has ended, and before only where ADR 98 says.
 */
@NullMarked
@Timeout(300)
final class SecretsTest {

  private static final String PIN = "hunter2-correct-horse";
  private static final String BODY = "battery-staple-in-a-body";
  private static final long POLL_NANOS = 100_000_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private final List<Process> processes = new ArrayList<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private URI api = URI.create("http://127.0.0.1");

  @BeforeEach
  void startServer() throws IOException, InterruptedException {
    start(
        "serve",
        "dev.beckon.cli.Main",
        List.of(
            "serve",
            "--data",
            at("server"),
            "--udp",
            "127.0.0.1:0",
            "--tls",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--advertise",
            "127.0.0.1"));
    String ready = awaitLine("serve.out", "ready ");
    api = URI.create("http://" + ready.replaceAll(".* http=(\\S+) .*", "$1"));
    String code = beckon("add", "device", "add", "kitchen").strip();
    Process enroll =
        start("enroll", "dev.beckon.agent.Main", List.of("enroll", code, "--data", at("kitchen")));
    assertThat(enroll.waitFor()).isZero();
    Files.writeString(
        folder.resolve("kitchen/agent.yaml"),
        """
        programs:
          unlock:
            command: [sh, -c, 'echo "trying $0"; sleep 1; echo "wrong: $0" >&2; exit 1', '{pin}']
            parameters: {pin: {}}
        """);
    Files.writeString(folder.resolve("pin.txt"), PIN + "\n");
    Files.writeString(folder.resolve("body.txt"), BODY);
  }

  @AfterEach
  void stop() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void leavesASecretNowhereOnceItsCommandHasEnded() throws Exception {
    listen();
    String id =
        beckon(
                "send",
                "send",
                "kitchen",
                "run",
                "program=unlock",
                "pin=@" + at("pin.txt"),
                "--secret",
                "pin",
                "--deadline",
                "5m")
            .strip();
    String body =
        beckon(
                "body",
                "send",
                "kitchen",
                "echo",
                "--body",
                at("body.txt"),
                "--secret-body",
                "--deadline",
                "5m")
            .strip();
    assertThat(filesWith(PIN)).as("before the end").allMatch(SecretsTest::isOfTheDatabase);
    assertThat(filesWith(BODY)).isNotEmpty().allMatch(file -> file.startsWith("server/"));
    assertThat(get("admin.token", "/v1/commands/" + id + "?secrets=show")).contains(PIN);

    start(
        "agent",
        "dev.beckon.agent.Main",
        List.of("agent", "--data", at("kitchen"), "--interval", "3s", "--lab"));
    JsonNode command = ended(id);
    JsonNode echo = ended(body);

    assertThat(command.path("state").asText()).as("%s", command).isEqualTo("FAILED");
    assertThat(command.path("result").path("output").asText()).contains("wrong: (secret)");
    assertThat(command.path("args").path("pin").asText()).isEqualTo("(secret)");
    assertThat(echo.path("resultBodyBytes").asInt()).isEqualTo(BODY.length());
    assertThat(get("operator.token", "/v1/commands/" + body + "/body")).contains("admin-needed");
    assertThat(get("admin.token", "/v1/commands/" + body + "/body")).isEqualTo(BODY);

    beckon("show", "command", "show", id, "--json");
    beckon("list", "command", "list", "--json");
    save("shown.json", get("admin.token", "/v1/commands/" + id + "?secrets=show"));
    save("metrics.txt", get("admin.token", "/metrics"));
    awaitGone(PIN, 0);
    // What the device returned is the result that somebody wanted: for the admin only.
    awaitGone(BODY, 1);
    assertThat(filesWith(BODY)).allMatch(file -> file.startsWith("server/bodies/"));
    assertThat(Files.readString(folder.resolve("events.txt"))).contains(id).contains("(secret)");
  }

  /** The database and its log, while the command has not ended. */
  private static boolean isOfTheDatabase(String file) {
    return file.startsWith("server/beckon.db");
  }

  private void listen() throws Exception {
    HttpRequest request = request("operator.token", "/v1/events");
    InputStream events = client.send(request, BodyHandlers.ofInputStream()).body();
    Thread reader =
        new Thread(
            () -> {
              try (events) {
                Files.copy(events, folder.resolve("events.txt"));
              } catch (IOException ended) {
                // With the server; what came until then is in the file.
              }
            },
            "events");
    reader.setDaemon(true);
    reader.start();
  }

  private JsonNode ended(String id) throws Exception {
    for (int i = 0; i < 4; i++) {
      JsonNode command = JSON.readTree(get("operator.token", "/v1/commands/" + id + "?wait=30s"));
      if (!List.of("QUEUED", "DELIVERED", "RUNNING").contains(command.path("state").asText())) {
        return command;
      }
    }
    throw new AssertionError("command " + id + " did not end");
  }

  /** The server deletes bodies and empties its log a moment after the end. */
  private void awaitGone(String secret, int files) throws Exception {
    for (int i = 0; i < 300 && filesWith(secret).size() > files; i++) {
      LockSupport.parkNanos(POLL_NANOS);
    }
    assertThat(filesWith(secret)).hasSize(files);
  }

  /** Every file below the folder, but those that the secret came from. */
  private List<String> filesWith(String secret) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        String name = folder.relativize(file).toString();
        if (Files.isRegularFile(file) && !name.equals("pin.txt") && !name.equals("body.txt")) {
          try {
            if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)
                .contains(secret)) {
              found.add(name);
            }
          } catch (NoSuchFileException gone) {
            // Deleted while it was looked for.
          }
        }
      }
    }
    return found;
  }

  private String get(String token, String path) throws Exception {
    return client.send(request(token, path), BodyHandlers.ofString()).body();
  }

  private HttpRequest request(String token, String path) throws IOException {
    return HttpRequest.newBuilder(api.resolve(path))
        .timeout(Duration.ofSeconds(90))
        .header(
            "Authorization",
            "Bearer " + Files.readString(folder.resolve("server").resolve(token)).strip())
        .build();
  }

  private void save(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  /** Runs a client command with the operator's token; what it printed. */
  private String beckon(String name, String... arguments) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(arguments));
    String token = name.equals("add") ? "server/admin.token" : "server/operator.token";
    all.addAll(List.of("--server", api.toString(), "--token-file", at(token)));
    Process process = start(name, "dev.beckon.cli.Main", all);
    assertThat(process.waitFor(90, TimeUnit.SECONDS)).isTrue();
    String err = Files.readString(folder.resolve(name + ".err"));
    assertThat(process.exitValue()).as(err).isZero();
    return Files.readString(folder.resolve(name + ".out"));
  }

  private Process start(String name, String main, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=debug");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    command.addAll(arguments);
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve(name + ".out").toFile())
            .redirectError(folder.resolve(name + ".err").toFile())
            .start();
    processes.add(process);
    return process;
  }

  private String awaitLine(String file, String beginning) throws IOException {
    for (int i = 0; i < 600; i++) {
      for (String line : Files.readAllLines(folder.resolve(file))) {
        if (line.startsWith(beginning)) {
          return line;
        }
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    throw new AssertionError(file + ": no line that begins with " + beginning);
  }

  private String at(String name) {
    return folder.resolve(name).toString();
  }
}
