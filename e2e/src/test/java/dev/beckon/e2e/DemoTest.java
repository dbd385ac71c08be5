package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** {@code beckon demo} as people start it. */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@Execution(ExecutionMode.CONCURRENT)
final class DemoTest {

  private static final String MAIN = "dev.beckon.cli.Main";
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final Pattern EXPORT =
      Pattern.compile("export BECKON_SERVER=(\\S+) BECKON_TOKEN=\\$\\(cat (\\S+)\\)");

  @Test
  void succeedsWithANatBetweenAndTellsEachCommandsWay(@TempDir Path temp) throws Exception {
    try (LabProcess demo = start(temp, "demo", "--json")) {
      assertThat(demo.awaitEnd(PATIENCE)).as(() -> String.join("\n", demo.lines())).isZero();

      JsonNode report = new ObjectMapper().readTree(String.join("\n", demo.lines()));
      assertThat(report.path("nat").asBoolean()).isTrue();
      assertThat(report.path("commands")).hasSize(8);
      JsonNode last = report.path("commands").path(3);
      assertThat(last.path("delivery").asText()).isEqualTo("inquiry");
      assertThat(StreamSupport.stream(last.path("story").spliterator(), false))
          .extracting(row -> row.path("what").asText())
          .containsSubsequence(
              "queued", "wake sent", "wake received", "session opened", "delivered", "finished");
      assertThat(wokenAt(last)).isNotEqualTo(wokenAt(report.path("commands").path(1)));
      assertThat(dialled(report.path("commands").path(4))).isEqualTo("to 203.0.113.101:5349");
      assertThat(dialled(report.path("commands").path(6))).isEqualTo("to 203.0.113.201:5349");
    }
    assertThat(temp).isEmptyDirectory();
  }

  /** Where the device dialled for a command. */
  private static String dialled(JsonNode command) {
    return StreamSupport.stream(command.path("story").spliterator(), false)
        .filter(row -> row.path("what").asText().equals("dials"))
        .findFirst()
        .map(row -> row.path("detail").asText())
        .orElse("");
  }

  /** The mapped address of the wake that arrived: another one after the reboot than before. */
  private static String wokenAt(JsonNode command) {
    return World.events(command, "wake-sent")
        .getLast()
        .path("details")
        .path("mappedAddress")
        .asText();
  }

  @Test
  void keptRunningItOffersCommandsThatWorkAndLeavesNothingWhenInterrupted(@TempDir Path temp)
      throws Exception {
    LabProcess demo = start(temp, "demo", "--keep");
    String line = demo.await("export", l -> EXPORT.matcher(l).find(), PATIENCE).strip();
    Matcher export = EXPORT.matcher(line);
    assertThat(export.find()).isTrue();
    demo.await("the end of the list", l -> l.contains("openapi.yaml"), PATIENCE);

    List<String> send =
        JavaCommand.of(
            MAIN,
            "send",
            "printer",
            "echo",
            "text=hi",
            "--wait",
            "--server",
            export.group(1),
            "--token-file",
            export.group(2));
    try (LabProcess sender = LabProcess.start("send", send, _ -> {})) {
      assertThat(sender.awaitEnd(PATIENCE)).as(() -> String.join("\n", sender.lines())).isZero();
      assertThat(sender.lines()).contains("text=hi");
    }

    List<ProcessHandle> inside = demo.handle().descendants().toList();
    assertThat(inside).hasSizeGreaterThan(3);
    interrupt(demo);
    demo.awaitEnd(Duration.ofSeconds(40));
    for (ProcessHandle process : inside) {
      process.onExit().get(40, TimeUnit.SECONDS);
    }
    awaitEmpty(temp);
    assertThat(temp).isEmptyDirectory();
  }

  private static LabProcess start(Path temp, String... arguments) {
    List<String> command = new ArrayList<>(JavaCommand.of(MAIN, arguments));
    command.add(1, "-Djava.io.tmpdir=" + temp);
    return LabProcess.start("demo", command, _ -> {});
  }

  /** What Ctrl-C does to it. */
  private static void interrupt(LabProcess demo) {
    LabProcess.start("kill", List.of("kill", "-INT", "" + demo.handle().pid()), _ -> {})
        .awaitEnd(Duration.ofSeconds(10));
  }

  private static void awaitEmpty(Path folder) throws Exception {
    for (int i = 0; i < 100; i++) {
      try (var files = Files.list(folder)) {
        if (files.findAny().isEmpty()) {
          return;
        }
      }
      World.pass(Duration.ofMillis(100));
    }
  }
}
