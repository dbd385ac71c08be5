package dev.beckon.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.device.Action;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
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
      """;

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
    Result result = run("{command: [echo, '{x}'], parameters: {x: {}}}", "$(id); rm -rf * | 'a b'");

    assertThat(result.failure()).isNull();
    assertThat(result.values())
        .containsEntry("exit", "0")
        .containsEntry("output", "$(id); rm -rf * | 'a b'\n");
  }

  @Test
  void returnsErrorsAndTheExitCode() throws Exception {
    Result result = run("{command: [sh, -c, 'echo out; echo err >&2; exit 7']}", "");

    assertThat(result.failure()).isEqualTo("exit code: 7");
    assertThat(result.values()).containsEntry("exit", "7").containsEntry("output", "out\nerr\n");
  }

  @Test
  void endsAProgramAndItsChildrenAtTheTimeLimit() throws Exception {
    Result result =
        run("{command: [sh, -c, 'echo begun; sleep 100 & echo $!; wait'], time-limit: 1s}", "");

    assertThat(result.failure()).startsWith("time limit: 1s passed");
    String[] output = result.values().getOrDefault("output", "").split("\n");
    assertThat(output[0]).isEqualTo("begun");
    long child = Long.parseLong(output[1]);
    // Killed at once; until somebody reaps it, it is still there, but runs nothing.
    long patience = System.nanoTime() + 10_000_000_000L;
    while (runs(child) && patience - System.nanoTime() > 0) {
      Thread.onSpinWait();
    }
    assertThat(runs(child)).isFalse();
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
  void aProgramThatIsNotThereFails() {
    assertThatThrownBy(() -> run("{command: [/no/such/program]}", ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/no/such/program");
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
    return new RunAction(AgentConfig.parse("a.yaml", "programs: {p: " + program + "}").programs())
        .run(Command.of("run", arguments, (percent, text) -> progress.add(text)));
  }

  @Test
  void onlyAWholeArgumentStandsForAParameter() {
    assertThat(RunAction.parameterOf("{name}")).isEqualTo("name");
    assertThat(RunAction.parameterOf("--x={name}")).isNull();
    assertThat(RunAction.parameterOf("{}")).isNull();
    assertThat(RunAction.parameterOf("{a}{b}")).isNull();
  }

  private static Action action() throws ConfigException {
    return new RunAction(AgentConfig.parse("agent.yaml", YAML).programs()).action();
  }
}
