package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Action;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunActionTest {
  private static final String YAML =
      """
      programs:
        greet:
          command: [echo, hello, '{name}', '{times}']
          parameters:
            name: {type: text, one-of: [Ada, Bob]}
            times: {type: integer, minimum: 1, maximum: 3, optional: true}
        uptime: {command: [uptime]}
        find: {command: [find, '{folder}', '{depth}'], parameters: {folder: {}, depth: {type: integer}}}
        grep: {command: [grep, -e, '{mode}', --, '{text}'], parameters: {text: {}, mode: {one-of: [-i, -v]}}}
      """;

  @TempDir private Path folder;
  private final List<String> progress = new CopyOnWriteArrayList<>();

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      nullValues = "fits",
      textBlock =
          """
          program=greet name=Ada         | fits                          | what is required
          program=greet name=Ada times=2 | fits                          | all there is
          program=uptime                 | fits                          | no parameters
          program=reboot                 | program: reboot (expected     | not on the list
          name=Ada                       | program: missing              | no program
          program=greet                  | name: missing (expected one of Ada, Bob) | required of that program
          program=greet name=Eve         | name: Eve (expected one of    | not an allowed value
          program=greet name=Ada times=9 | times: 9 (expected an integer from 1 to 3) | out of range
          program=uptime name=Ada        | name: unknown argument        | of another program
          program=uptime shell=sh        | shell: unknown argument       | of none
          program=find folder=-delete depth=1 | folder: -delete (expected a text that does not begin with -, or -- | an option
          program=find folder=- depth=1  | folder: - (expected           | standard input
          program=find folder=./-a depth=1 | fits                        | not at the beginning
          program=find folder=a depth=-1 | fits                          | a number is no option
          program=grep mode=-i text=-x   | fits                          | listed, and behind --
          """)
  void allowsWhatTheConfigurationAllows(String arguments, String refusal, String reason)
      throws ConfigException {
    Map<String, String> map = new TreeMap<>();
    for (String pair : arguments.split(" ")) {
      map.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
    }
    String actual = action().refusal(map, false);

    if (refusal == null) {
      assertThat(actual).as(reason).isNull();
    } else {
      assertThat(actual).as(reason).startsWith(refusal);
    }
  }

  @Test
  void givesArgumentsToTheProgramAndNotToAShell() throws Exception {
    Result result =
        run("{command: [echo, '{x}'], parameters: {x: {}}}", "$(id); echo gone * | 'a b'");

    assertThat(result.failure()).isNull();
    assertThat(result.values())
        .containsEntry("exit", "0")
        .containsEntry("output", "$(id); echo gone * | 'a b'\n");
  }

  @Test
  void returnsErrorsAndTheExitCode() throws Exception {
    Result result = run("{command: [sh, -c, 'echo out; echo err >&2; exit 7']}", "");

    assertThat(result.failure()).isEqualTo("exit code: 7");
    assertThat(result.values())
        .containsEntry("failure", "exit-code")
        .containsEntry("exit", "7")
        .containsEntry("output", "out\nerr\n");
  }

  @Test
  void endsAProgramAndItsChildrenAtTheTimeLimit() throws Exception {
    Result result =
        run("{command: [sh, -c, 'echo begun; sleep 100 & echo $!; wait'], time-limit: 1s}", "");

    assertThat(result.failure()).startsWith("time limit: 1s passed");
    assertThat(result.values()).containsEntry("failure", "timed-out").doesNotContainKey("exit");
    String[] output = result.values().getOrDefault("output", "").split("\n");
    assertThat(output[0]).isEqualTo("begun");
    long child = Long.parseLong(output[1]);
    eventuallyNotRunning(child);
  }

  /** Killed at once; until somebody reaps it, it is still there, but runs nothing. */
  private static void eventuallyNotRunning(long pid) {
    long patience = System.nanoTime() + 10_000_000_000L;
    while (runs(pid) && patience - System.nanoTime() > 0) {
      Thread.onSpinWait();
    }
    assertThat(runs(pid)).isFalse();
  }

  @Test
  void endsDescendantsThatHaveLeftTheirFamily() throws Exception {
    // The middle shell ends, so that its child's parent is another one, in a session of its own.
    Result result =
        run(
            "{command: [sh, -c, 'sh -c \"setsid sleep 100 & echo \\$!\"; sleep 100'],"
                + " time-limit: 1s}",
            "");

    assertThat(result.values()).containsEntry("failure", "timed-out");
    long orphan = Long.parseLong(result.values().getOrDefault("output", "").split("\n")[0]);
    eventuallyNotRunning(orphan);
  }

  @Test
  void aProgramThatEndsMayLeaveAnotherRunning() throws Exception {
    Result result =
        run("{command: [sh, -c, 'sleep 100 >/dev/null 2>&1 & echo $!'], time-limit: 9s}", "");

    assertThat(result.failure()).isNull();
    long left = Long.parseLong(result.values().getOrDefault("output", "").strip());
    assertThat(runs(left)).isTrue();
    ProcessHandle.of(left).ifPresent(ProcessHandle::destroyForcibly);
  }

  @Test
  void outputComesBackWhileTheProgramRuns() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    Path go = folder.resolve("go");
    RunAction action =
        action(
            "{command: [sh, -c, 'echo first; echo second; until [ -e " + go + " ]; do :; done']}");
    Command command =
        Command.of(
            "run",
            Map.of("program", "p"),
            (percent, text) -> {
              progress.add(text);
              if (String.join("\n", progress).contains("second")) {
                seen.countDown();
              }
            });
    CompletableFuture<Result> result =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return action.run(command);
              } catch (Exception e) {
                throw new CompletionException(e);
              }
            });

    assertThat(seen.await(10, TimeUnit.SECONDS)).as("all of the output so far").isTrue();
    assertThat(result).isNotDone();
    Files.createFile(go);
    assertThat(result.get(10, TimeUnit.SECONDS).failure()).isNull();
  }

  @Test
  void tellsTheProgramWhichCommandItRunsFor() throws Exception {
    assertThat(run("{command: [printenv, BECKON_COMMAND]}", "").values())
        .containsEntry("output", "0".repeat(26) + "\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hi {who}            | command: hi {who} (expected {who} as an argument of its own
          --name={who}        | command: --name={who} (expected {who} as an argument of its own
          {who}{who}          | command: {who}{who} (expected {who} as an argument of its own
          echo ${who}         | command: echo ${who} (expected {who} as an argument of its own
          hi {whom}           | command: hi {whom} (expected {whom} as an argument of its own
          {whom}              | command: {whom} (expected one of the parameters [who])
          """)
  void refusesAPlaceholderThatWouldBePassedOnAsItIs(String argument, String refusal) {
    assertThatThrownBy(() -> action("{command: [echo, '" + argument + "'], parameters: {who: {}}}"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(refusal);
  }

  @Test
  void leavesOtherBracesAlone() throws Exception {
    assertThat(run("{command: [echo, '{}', '${HOME}', '%{http_code}', '{\"a\": 1}']}", "").values())
        .containsEntry("output", "{} ${HOME} %{http_code} {\"a\": 1}\n");
  }

  @Test
  void reportsProgressAndReturnsLongOutputAsABody() throws Exception {
    Result result = run("{command: [seq, '1', '20000']}", "");

    assertThat(progress).isNotEmpty();
    assertThat(new String(result.body(), StandardCharsets.US_ASCII))
        .startsWith("1\n2\n")
        .endsWith("\n20000\n");
    assertThat(result.values().get("output")).hasSize(16_384).endsWith("\n20000\n");
  }

  @Test
  void aProgramThatIsNotThereIsATypedFailure() throws Exception {
    Result result = run("{command: [/no/such/program]}", "");

    assertThat(result.failure())
        .startsWith("program: /no/such/program (expected an executable program");
    assertThat(result.values()).containsEntry("failure", "program-missing");
  }

  @Test
  void aFolderThatIsNotThereIsToldAsSuch() throws Exception {
    Result result = run("{command: [ls], folder: /no/such/folder}", "");

    assertThat(result.failure()).startsWith("folder: /no/such/folder (expected");
    assertThat(result.values()).containsEntry("failure", "program-missing");
  }

  @Test
  void aFileThatIsNoProgramIsATypedFailure() throws Exception {
    assertThat(run("{command: [/etc/passwd]}", "").values())
        .containsEntry("failure", "program-missing");
  }

  @Test
  void aProgramGetsNoInputToWaitFor() throws Exception {
    assertThat(run("{command: [cat]}", "").failure()).isNull();
  }

  private static boolean runs(long pid) {
    return ProcessHandle.of(pid).flatMap(process -> process.info().command()).isPresent();
  }

  private Result run(String program, String x) throws Exception {
    Map<String, String> arguments =
        x.isEmpty() ? Map.of("program", "p") : Map.of("program", "p", "x", x);
    return FailedException.caught(action(program))
        .run(Command.of("run", arguments, (percent, text) -> progress.add(text)));
  }

  private static RunAction action(String program) throws ConfigException {
    return new RunAction(Actions.read("programs: {p: " + program + "}").programs());
  }

  @Test
  void onlyAWholeArgumentStandsForAParameter() {
    assertThat(Program.parameterOf("{name}")).isEqualTo("name");
    assertThat(Program.parameterOf("--x={name}")).isNull();
    assertThat(Program.parameterOf("{}")).isNull();
    assertThat(Program.parameterOf("{a}{b}")).isNull();
  }

  private static Action action() throws ConfigException {
    return new RunAction(Actions.read(YAML).programs()).action();
  }

  @Test
  void refusesParametersThatMeanDifferentThingsInDifferentPrograms() throws ConfigException {
    ActionsConfig config =
        Actions.read(
            """
            programs:
              a: {command: [ls, '{x}'], parameters: {x: {type: integer}}}
              b: {command: [ls, '{x}'], parameters: {x: {type: text}}}
            """);

    assertThatThrownBy(() -> new RunAction(config.programs()).action())
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("parameter x");
  }
}
