package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

class MainTest {

  @TempDir private static Path home;

  private static CommandRun run(String... args) {
    return new CommandRun.Place(home).run(args);
  }

  /** Every command and subcommand, as the words that call it. */
  static List<String> everyCommand() {
    List<String> found = new ArrayList<>();
    collect("", Main.commandLine(Surroundings.ofProcess()), found);
    return found;
  }

  private static void collect(String words, CommandLine line, List<String> found) {
    found.add(words.strip());
    line.getSubcommands().forEach((name, sub) -> collect(words + " " + name, sub, found));
  }

  @ParameterizedTest
  @MethodSource("everyCommand")
  void everyHelpTextListsTheExitCodes(String words) {
    CommandRun run = run((words + " --help").strip().split(" "));

    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("Usage: beckon").contains("Exit codes:").contains("  0 ");
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "sned, unknown command: sned, did you mean send?",
    "cmomand, unknown command: cmomand, did you mean command?",
    "device lst, unknown command: lst, did you mean list?",
    "device list --jsno, unknown option: --jsno, did you mean --json?",
    "send a b --dedline 3s, unknown option: --dedline, did you mean --deadline?"
  })
  void suggestsTheNearest(String words, String message, String hint) {
    CommandRun run = run(words.split(" "));

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("beckon: " + message + "\n  " + hint);
  }

  @Test
  void suggestsNothingForWhatIsNearNothing() {
    CommandRun run = run("xyzzy");

    assertThat(run.err())
        .isEqualTo(
            """
            beckon: unknown command: xyzzy
              'beckon --help' shows how it is used
            """);
  }

  @Test
  void saysWhichCommandsThereAreWhenOneIsMissing() {
    assertThat(run("device").err())
        .startsWith("beckon: missing command (expected add, list, show, label, revoke)\n");
  }

  @Test
  void refusesAnIdThatNoDeviceCanHave() {
    CommandRun run = run("device", "add", "my kitchen");

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("beckon: device ID: my kitchen (expected 1 to 64 of ");
  }

  @Test
  void withoutWordsItShowsItsUsageAndThatThisIsNotEnough() {
    CommandRun run = run();

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("Usage: beckon");
  }

  @Test
  void completesEveryCommand() {
    assertThat(run("completion").out())
        .contains(
            "serve device enroll agent send wake command app-server watch doctor simulate key ca"
                + " demo");
  }
}
