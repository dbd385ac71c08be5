package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Switches by real programs. The GPIO lines are played by programs that take the arguments of
 * libgpiod 1 and 2: kernels that tests run on seldom have lines.
 */
class PowerActionTest {
  /** Holds a line by a file; says and does what gpioset does, as far as the agent sees it. */
  private static final String GPIOSET =
      """
      #!/bin/sh
      [ "$1" = --version ] && { echo "gpioset (libgpiod) v$VERSION"; exit 0; }
      echo "$@" >> "$LINES/calls"
      for last; do :; done
      line=${last%=*}
      [ -e "$LINES/busy" ] && { echo "gpioset: error setting the GPIO line values: Device or resource busy" >&2; exit 1; }
      echo "${last#*=}" > "$LINES/$line"
      trap 'rm -f "$LINES/$line"; exit 0' TERM
      case $1 in
        --mode=wait) read -r enter; rm -f "$LINES/$line" ;;
        *) while :; do sleep 0.05; done ;;
      esac
      """;

  private static final String GPIOGET =
      """
      #!/bin/sh
      [ "$1" = --version ] && { echo "gpioget (libgpiod) v$VERSION"; exit 0; }
      for last; do :; done
      cat "$LINES/$last"
      """;

  private static final Command POWER = Command.of("power", Map.of(), (percent, text) -> {});

  @TempDir private Path folder;
  private final List<String> progress = new CopyOnWriteArrayList<>();

  @Test
  void switchesByPrograms() throws Exception {
    PowerAction action = byPrograms("off-time: 10ms");

    assertThat(run(action, "on").values()).containsEntry("state", "on");
    assertThat(run(action, "status").values()).containsEntry("state", "on");
    assertThat(run(action, "off").values()).containsEntry("state", "off");
    assertThat(run(action, "status").values()).containsEntry("state", "off");
    assertThat(switched()).containsExactly("on", "off");
  }

  @Test
  void aCycleIsOffThenOnAndSaysSoMeanwhile() throws Exception {
    Result result = run(byPrograms("off-time: 10ms"), "cycle");

    assertThat(result.values()).containsEntry("state", "on").containsEntry("off-time", "10ms");
    assertThat(switched()).containsExactly("off", "on");
    assertThat(progress).contains("off; on again after 10ms");
  }

  @Test
  void whatACycleSwitchedOffComesOnAgainWhenTheAgentIsStopped() throws Exception {
    PowerAction action = byPrograms("off-time: 1h");
    CountDownLatch off = new CountDownLatch(1);
    Command command =
        Command.of("power", Map.of("state", "cycle"), (percent, text) -> off.countDown());
    Thread thread = inBackground(() -> action.run(command));
    assertThat(off.await(10, TimeUnit.SECONDS)).isTrue();

    thread.interrupt();
    thread.join(10_000);

    assertThat(switched()).containsExactly("off", "on");
  }

  @ParameterizedTest
  @CsvSource({"off, off on", "on, off on on", "cycle, cycle on"})
  void aCycleIsEndedByOnInWhateverStepTheAgentIsStopped(String step, String expected)
      throws Exception {
    Path program =
        executable(
            "switch",
            """
            #!/bin/sh
            echo $1 >> LINES/log
            [ $1 = STEP ] && mkdir LINES/hung 2>&- && { echo hangs; exec sleep 100; }
            exit 0
            """
                .replace("STEP", step));
    PowerAction action =
        action(
            "power: {on: [%1$s, 'on'], off: [%1$s, 'off'], off-time: 10ms, time-limit: 1m%2$s}"
                .formatted(
                    program, step.equals("cycle") ? ", cycle: [" + program + ", cycle]" : ""));
    CountDownLatch hangs = new CountDownLatch(1);
    Command command =
        Command.of(
            "power",
            Map.of("state", "cycle"),
            (percent, text) -> {
              if (text.contains("hangs")) {
                hangs.countDown();
              }
            });
    Thread thread = inBackground(() -> action.run(command));
    assertThat(hangs.await(30, TimeUnit.SECONDS)).isTrue();

    thread.interrupt();
    thread.join(30_000);

    assertThat(String.join(" ", switched())).isEqualTo(expected);
  }

  @Test
  void aCycleThatDoesNotComeOnAgainSaysThatItIsOff() throws Exception {
    PowerAction action = action("power: {on: [/no/such/switch], off: ['true'], off-time: 10ms}");

    assertThat(run(action, "cycle").values())
        .containsEntry("failure", "program-missing")
        .containsEntry("state", "off");
  }

  @Test
  void aSwitchThatFailsOrHangsIsATypedFailure() throws Exception {
    PowerAction action = action("power: {on: ['false'], off: [sleep, '100'], time-limit: 300ms}");

    assertThat(run(action, "on").values()).containsEntry("failure", "exit-code");
    assertThat(run(action, "off").values()).containsEntry("failure", "timed-out");
  }

  @Test
  void aProgramMayDoTheWholeCycle() throws Exception {
    PowerAction action = action("power: {on: ['true'], off: ['false'], cycle: [echo, cycled]}");

    assertThat(run(action, "cycle").values()).containsEntry("output", "cycled\n");
  }

  @Test
  void theServerIsToldOnlyOfStatesThatThereAre() throws Exception {
    assertThat(
            action("power: {on: ['true'], off: ['true']}")
                .action()
                .refusal(Map.of("state", "status"), false))
        .isEqualTo("state: status (expected one of on, off, cycle)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.6.3", "2.1.3"})
  void switchesByALineThatItHolds(String version) throws Exception {
    PowerAction action = byLine(version, "line: 17");

    assertThat(run(action, "status").values()).containsEntry("state", "unknown");
    assertThat(run(action, "on").values()).containsEntry("state", "on");
    assertThat(folder.resolve("17")).hasContent("1");
    assertThat(run(action, "status").values()).containsEntry("state", "on");
    assertThat(run(action, "on").values()).containsEntry("state", "on");
    assertThat(run(action, "off").values()).containsEntry("state", "off");
    assertThat(folder.resolve("17")).hasContent("0");
    assertThat(Files.readAllLines(folder.resolve("calls")))
        .as("held, not set again")
        .containsExactly(
            version.startsWith("1") ? "--mode=wait gpiochip0 17=1" : "--chip gpiochip0 17=1",
            version.startsWith("1") ? "--mode=wait gpiochip0 17=0" : "--chip gpiochip0 17=0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.6.3", "2.1.3"})
  void anotherLineMayTellWhetherThePowerIsOn(String version) throws Exception {
    PowerAction action = byLine(version, "line: 17, active-low: true, sense: 18");
    Files.writeString(folder.resolve("18"), "1\n");

    assertThat(run(action, "status").values()).containsEntry("state", "on");
    Files.writeString(folder.resolve("18"), "0\n");
    assertThat(run(action, "status").values()).containsEntry("state", "off");
    run(action, "on");
    assertThat(Files.readString(folder.resolve("calls"))).contains("--active-low");
  }

  @Test
  void aLineThatSomebodyElseHoldsIsATypedFailure() throws Exception {
    PowerAction action = byLine("1.6.3", "line: 17");
    Files.createFile(folder.resolve("busy"));

    Result result = run(action, "on");

    assertThat(result.values()).containsEntry("failure", "gpio-failed");
    assertThat(result.failure())
        .startsWith("gpio: gpiochip0 line 17 (expected a free line)")
        .endsWith("Device or resource busy");
  }

  @Test
  void aMachineWithoutLibgpiodIsATypedFailure() throws Exception {
    PowerAction action =
        action("power: {gpio: {chip: gpiochip0, line: 1, gpioset: /no/such/gpioset}}");

    assertThat(run(action, "on").values()).containsEntry("failure", "program-missing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {on: [a]}                                     | off: missing (expected a program for on and for off, or a gpio line)
          {on: [a], off: []}                            | off: no command (expected [PROGRAM, ARGUMENT…])
          {on: [a], off: [b], of-time: 3s}              | of-time: unknown key (expected off-time?)
          {on: [a], off: [b], off-time: 2h}             | off-time: 2h (expected at most 1h)
          {on: [a], off: [b], gpio: {chip: c, line: 1}} | gpio: beside programs (expected either of them)
          {gpio: {line: 1}}                             | chip: missing (expected a GPIO chip, such as gpiochip0)
          {gpio: {chip: c}}                             | line: missing (expected the number of a line of the chip)
          {gpio: {chip: c, line: x}}                    | line: x (expected an integer from 0 to 1023)
          {gpio: {chip: c, line: 1, sense: 1}}          | sense: 1 (expected another line than the one that switches)
          """)
  void saysWhatIsWrongInTheConfiguration(String power, String message) {
    assertThatThrownBy(() -> action("power: " + power))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("agent.yaml:1: ")
        .hasMessageContaining(message);
  }

  @Test
  void afterTheAgentsEndNoLineIsHeldAnyMore() throws Exception {
    GpioSwitch gpio = gpioSwitch(Duration.ofMillis(300));
    gpio.set(false, POWER);

    gpio.close();

    assertThatThrownBy(() -> gpio.set(true, POWER)).isInstanceOf(InterruptedException.class);
    assertThat(folder.resolve("calls")).content().hasLineCount(1);
  }

  @Test
  void aLineIsNotHeldByAProgramThatWasInterruptedAsItBegan() throws Exception {
    GpioSwitch gpio = gpioSwitch(Duration.ofMinutes(1));
    Thread thread = inBackground(() -> gpio.set(true, POWER));
    ProcessHandle gpioset = child("gpioset");

    thread.interrupt();
    thread.join(30_000);

    gpioset.onExit().get(10, TimeUnit.SECONDS);
  }

  /** A child of this process that runs the script of that name and holds its line. */
  private ProcessHandle child(String name) {
    long patience = System.nanoTime() + 30_000_000_000L;
    while (patience - System.nanoTime() > 0) {
      Optional<ProcessHandle> found =
          ProcessHandle.current()
              .children()
              .filter(child -> child.info().commandLine().orElse("").contains(folder + "/" + name))
              .filter(child -> Files.exists(folder.resolve("17")))
              .findAny();
      if (found.isPresent()) {
        return found.get();
      }
      Thread.onSpinWait();
    }
    throw new AssertionError(name + " (expected to run)");
  }

  private GpioSwitch gpioSwitch(Duration settled) throws ConfigException, IOException {
    Path gpioset = executable("gpioset", GPIOSET.replace("$VERSION", "2.1.3"));
    return new GpioSwitch(
        new PowerConfig.Gpio("gpiochip0", 17, false, null, gpioset.toString(), "gpioget"),
        Duration.ofMinutes(1),
        settled);
  }

  private static Thread inBackground(Callable<Result> work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.call();
              } catch (Exception e) {
                // That is the end of it.
              }
            });
    thread.start();
    return thread;
  }

  private PowerAction byPrograms(String more) throws ConfigException, IOException {
    Path program = executable("switch", "#!/bin/sh\necho $1 > LINES/state; echo $1 >> LINES/log\n");
    Path status = executable("status", "#!/bin/sh\ncat LINES/state\n");
    return action(
        "power: {on: [%1$s, 'on'], off: [%1$s, 'off'], status: [%2$s], %3$s}"
            .formatted(program, status, more));
  }

  private List<String> switched() throws IOException {
    return Files.readAllLines(folder.resolve("log"));
  }

  private PowerAction byLine(String version, String line) throws ConfigException, IOException {
    return action(
        "power: {gpio: {chip: gpiochip0, %s, gpioset: %s, gpioget: %s}}"
            .formatted(
                line,
                executable("gpioset", GPIOSET.replace("$VERSION", version)),
                executable("gpioget", GPIOGET.replace("$VERSION", version))));
  }

  private Path executable(String name, String script) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, script.replace("$LINES", "LINES").replace("LINES", folder.toString()));
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private static PowerAction action(String yaml) throws ConfigException {
    return new PowerAction(Objects.requireNonNull(Actions.read(yaml).power()));
  }

  private Result run(PowerAction action, String state) throws Exception {
    return FailedException.caught(action)
        .run(Command.of("power", Map.of("state", state), (percent, text) -> progress.add(text)));
  }
}
