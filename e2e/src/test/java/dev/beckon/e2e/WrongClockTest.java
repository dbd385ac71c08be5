package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A board that does not know the time enrolls, is woken, checks certificates and runs commands. */
class WrongClockTest {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final List<Path> LIBRARIES =
      List.of(
          Path.of("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"),
          Path.of("/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"));

  @TempDir private Path folder;
  private LiveServer server;

  @BeforeEach
  void startServer() throws Exception {
    server = LiveServer.start(folder.resolve("server"), false);
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  private static LabProcess start(String time, String... arguments) {
    Path library = LIBRARIES.stream().filter(Files::exists).findFirst().orElse(null);
    boolean skip = library == null && System.getenv("CI") == null;
    assumeTrue(!skip, "no libfaketime here: apt-get install faketime");
    assertThat(library).as("apt-get install faketime").isNotNull();
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            "env",
            "LD_PRELOAD=" + library,
            "FAKETIME=@" + time,
            // The JVM's timers are monotonic, and must run.
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "DONT_FAKE_MONOTONIC=1",
            "TZ=UTC"));
    command.addAll(JavaCommand.of("dev.beckon.agent.Main", arguments));
    return LabProcess.start("agent of " + time, command, line -> {});
  }

  @ParameterizedTest
  @ValueSource(strings = {"1970-01-01 00:00:10", "2035-06-07 08:09:10"})
  void hasNoEffect(String time) throws Exception {
    String data = folder.resolve("kitchen").toString();
    try (LabProcess enroll = start(time, "enroll", server.code("kitchen"), "--data", data)) {
      assertThat(enroll.awaitEnd(PATIENCE)).as("%s", enroll.lines()).isZero();
    }
    try (LabProcess agent = start(time, "agent", "--data", data, "--interval", "3s", "--lab")) {
      agent.await("answered keepalive", line -> line.contains("keepalive-answered"), PATIENCE);

      JsonNode command = server.send("kitchen", "echo", "{\"text\": \"hello\"}");

      assertThat(command.path("state").asText())
          .as("%s, %s", command, agent.lines())
          .isEqualTo("SUCCEEDED");
    }
  }
}
