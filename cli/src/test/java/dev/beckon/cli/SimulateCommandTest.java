package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.server.identity.MasterKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command line of simulate; what is simulated has tests of its own. */
@NullMarked
final class SimulateCommandTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @TempDir Path home;

  private CommandRun run(String... words) {
    List<String> args = new ArrayList<>(List.of("simulate"));
    args.addAll(Arrays.asList(words));
    return new CommandRun.Place(home).run(args.toArray(new String[0]));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --devices 0                    | devices: 0 (expected 1 to 10000000)
          --devices 10000001             | devices: 10000001 (expected 1 to 10000000)
          --sources 0                    | sources: 0 (expected 1 to 16384)
          --source-port 65536            | source-port: 65536 (expected 0 to 65535)
          --interval 0s                  | --interval: 0s (expected 1s to 135m
          --interval soon                | --interval: soon (expected 1s to 135m
          --duration 25h                 | --duration: 25h (expected 1s to 1440m
          --kind tcp                     | --kind: tcp (expected keepalive, one-way or stun)
          --kind stun --saturate         | missing option --against HOST:PORT
          --known                        | missing option --against HOST:PORT
          --against 127.0.0.1:3478       | missing option --keys FILE
          --against nowhere --keys none  | --against: nowhere (expected ADDRESS:PORT
          --against 127.0.0.1:9 --keys no| --keys: no: no such file
          --against 127.0.0.1:9 --kind stun | --kind: stun (expected with --saturate
          --find-limit --saturate        | --find-limit (expected without --saturate
          --commands-per-second -1       | --commands-per-second: -1.0 (expected 0 to 10000)
          --commands-per-second 1 --saturate | --commands-per-second (expected without --against
          --commands-per-second 1 --enrolled 0 | --enrolled: 0 (expected 1 to 1000000)
          """)
  void saysWhatIsWrongBeforeAnythingIsStarted(String words, String message) {
    CommandRun run = run(words.split(" +"));
    assertThat(run.err()).contains(message);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void aServerThatIsSilentIsAFailure() {
    Path keys = home.resolve("keys");
    assertThat(keys.toFile().mkdir()).isTrue();
    MasterKeys.openOrCreate(keys);
    CommandRun run =
        run(
            "--against",
            "127.0.0.1:9",
            "--keys",
            keys.resolve("master.keys").toString(),
            "--devices",
            "10",
            "--sources",
            "1");
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).contains("10 of 10 devices got no answer");
  }

  @Test
  void aServerOfItsOwnIsStartedMeasuredAndGoneAtTheEnd() throws Exception {
    List<String> command =
        JavaCommand.of(
            Main.class.getName(),
            ("simulate --devices 500 --interval 1s --duration 4s --commands-per-second 5"
                    + " --enrolled 20 --json")
                .split(" "));
    List<String> inFolder = new ArrayList<>(command);
    inFolder.add(1, "-Djava.io.tmpdir=" + home);
    try (LabProcess process = LabProcess.start("simulate", inFolder, _ -> {})) {
      int exitCode = process.awaitEnd(PATIENCE);
      String printed = String.join("\n", process.lines());
      assertThat(exitCode).as(printed).isZero();
      JsonNode figures = new ObjectMapper().readTree(printed.substring(printed.indexOf("{")));
      System.out.println(figures);
      assertThat(figures.get("devicesSetUp").asInt()).isEqualTo(500);
      assertThat(figures.get("answered").asLong()).isPositive();
      assertThat(figures.get("forgedDatagrams").asLong()).isZero();
      assertThat(figures.get("serverResidentBytes").asLong()).isPositive();
      assertThat(figures.get("commandsAccepted").asLong()).isPositive();
      // The last ones may be under way when the time is up.
      assertThat(figures.get("commandsConfirmed").asLong())
          .isBetween(1L, figures.get("commandsAccepted").asLong());
    }
    try (var left = Files.list(home)) {
      assertThat(left.map(Path::getFileName).map(Path::toString))
          .noneMatch(name -> name.startsWith("beckon-simulate-"));
    }
  }
}
