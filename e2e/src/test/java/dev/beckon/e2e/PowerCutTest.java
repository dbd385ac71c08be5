package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent that is killed like by a power cut: its commands run at most once, and none is lost. */
@NullMarked
@Timeout(180)
final class PowerCutTest {
  @TempDir private Path folder;
  private LiveServer server;
  private @Nullable Process agent;
  private BufferedReader lines = new BufferedReader(Reader.nullReader());

  @BeforeEach
  void enrollADevice() throws IOException, InterruptedException {
    server = LiveServer.start(folder.resolve("server"), false);
    Process enroll = java("enroll", server.code("kitchen"), "--data", data().toString());
    assertThat(enroll.waitFor()).isZero();
    Files.writeString(
        data().resolve("agent.yaml"),
        """
        programs:
          note:
            command: [sh, -c, 'echo "$0" >> %1$s; echo noted; sleep "$1"', '{word}', '{seconds}']
            parameters: {word: {}, seconds: {}}
        """
            .formatted(notes()));
    Files.createFile(notes());
  }

  @AfterEach
  void stop() {
    cutPower();
    server.close();
  }

  @Test
  void tellsThatItCannotTellHowACommandEnded() throws Exception {
    startAgent();
    CompletableFuture<JsonNode> command = send("once", "3");
    awaitLine(" RUNNING ");
    cutPower();
    startAgent();

    JsonNode end = command.get();
    assertThat(end.path("state").asText()).isEqualTo("UNKNOWN");
    assertThat(end.path("reason").asText()).contains("restarted while the command ran");
    assertThat(Files.readAllLines(notes())).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void runsEachCommandAtMostOnceHoweverOftenThePowerFails() throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    startAgent();
    List<CompletableFuture<JsonNode>> commands = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      commands.add(send("word" + i, "0.1"));
    }
    for (int cut = 0; cut < 3; cut++) {
      for (int i = random.nextInt(1, 8); i > 0; i--) {
        awaitLine(" command ");
      }
      cutPower();
      startAgent();
    }

    int succeeded = 0;
    for (int i = 0; i < commands.size(); i++) {
      JsonNode end = commands.get(i).get();
      String state = end.path("state").asText();
      int runs = Collections.frequency(Files.readAllLines(notes()), "word" + i);
      assertThat(state).as("seed %d: %s", seed, end).isIn("SUCCEEDED", "UNKNOWN");
      assertThat(runs).as("seed %d: %s", seed, end).isLessThanOrEqualTo(1);
      if (state.equals("SUCCEEDED")) {
        assertThat(runs).as("seed %d: %s", seed, end).isEqualTo(1);
        succeeded++;
      }
    }
    assertThat(succeeded)
        .as("seed %d: at most one is cut off per power cut", seed)
        .isGreaterThan(8);
  }

  private CompletableFuture<JsonNode> send(String word, String seconds) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return server.send(
                "kitchen",
                "run",
                "{\"program\": \"note\", \"word\": \"%s\", \"seconds\": \"%s\"}"
                    .formatted(word, seconds));
          } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
          }
        },
        task -> Thread.ofVirtual().start(task));
  }

  private void startAgent() throws IOException {
    Process started = java("agent", "--data", data().toString(), "--interval", "3s", "--lab");
    agent = started;
    lines =
        new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
    awaitLine("ready ");
  }

  private void awaitLine(String part) throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.contains(part)) {
        return;
      }
    }
    throw new AssertionError("the agent ended");
  }

  private void cutPower() {
    Process running = agent;
    if (running != null) {
      running.destroyForcibly().onExit().join();
    }
  }

  private Process java(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("dev.beckon.agent.Main");
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private Path data() {
    return folder.resolve("kitchen");
  }

  private Path notes() {
    return folder.resolve("notes");
  }
}
