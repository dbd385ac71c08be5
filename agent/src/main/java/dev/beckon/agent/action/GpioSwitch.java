package dev.beckon.agent.action;

import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Switches the power by a line of a GPIO chip, through the programs of libgpiod (1 and 2).
 *
 * <p>The kernel keeps a line as it is only while somebody holds it. So {@code gpioset} goes on
 * running until the line is to have another value or the agent ends.
 */
final class GpioSwitch implements PowerSwitch {
  /** A {@code gpioset} that cannot have the line says so and ends well before. */
  private static final Duration SETTLED = Duration.ofMillis(300);

  private static final long END_MILLIS = 2_000;
  private static final int MAX_OUTPUT_BYTES = 2_000;

  private final PowerConfig.Gpio gpio;
  private final Duration timeLimit;
  private final Duration settled;
  private @Nullable Process holder;
  private boolean on;
  private boolean closed;

  GpioSwitch(PowerConfig.Gpio gpio, Duration timeLimit) {
    this(gpio, timeLimit, SETTLED);
  }

  /**
   * @param settled how long {@code gpioset} is watched before it is taken to hold the line
   */
  GpioSwitch(PowerConfig.Gpio gpio, Duration timeLimit, Duration settled) {
    this.gpio = gpio;
    this.timeLimit = timeLimit;
    this.settled = settled;
    Runtime.getRuntime().addShutdownHook(new Thread(this::close, "beckon-gpio"));
  }

  /** Gives the line back, for good. */
  synchronized void close() {
    closed = true;
    release();
  }

  @Override
  public synchronized Result set(boolean wanted, Command command)
      throws FailedException, InterruptedException {
    Result result = Result.of("state", wanted ? PowerConfig.ON : PowerConfig.OFF);
    if (isHeld() && on == wanted) {
      return result;
    }
    if (closed) {
      // A cycle that the agent's end interrupts comes here; nobody would end what it starts.
      throw new InterruptedException("the agent is being stopped");
    }
    boolean first = isFirstVersion(command);
    release();
    hold(first, wanted);
    return result;
  }

  @Override
  public synchronized Result status(Command command) throws FailedException, InterruptedException {
    Integer sense = gpio.sense();
    if (sense != null) {
      return Result.of("state", read(sense, command) ? PowerConfig.ON : PowerConfig.OFF);
    }
    return Result.of("state", isHeld() ? on ? PowerConfig.ON : PowerConfig.OFF : "unknown");
  }

  private boolean isHeld() {
    return holder != null && holder.isAlive();
  }

  /**
   * Version 1 ends with its standard input when it is told to wait, so that it does not outlive the
   * agent; version 2 holds the line until it is ended.
   */
  private void hold(boolean first, boolean wanted) throws FailedException, InterruptedException {
    String value = gpio.line() + "=" + (wanted ? 1 : 0);
    List<String> vector = new ArrayList<>(List.of(gpio.gpioset()));
    if (first) {
      vector.add("--mode=wait");
    }
    if (gpio.activeLow()) {
      vector.add("--active-low");
    }
    vector.addAll(first ? List.of(gpio.chip(), value) : List.of("--chip", gpio.chip(), value));
    Process process;
    try {
      process = new ProcessBuilder(vector).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw missing(e);
    }
    holder = process;
    on = wanted;
    try {
      if (process.waitFor(settled.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new FailedException(Failure.GPIO_FAILED, complaint(process));
      }
    } catch (InterruptedException e) {
      release(); // it may not have the line
      throw e;
    }
  }

  private String complaint(Process process) {
    String said;
    try {
      said =
          new String(process.getInputStream().readNBytes(MAX_OUTPUT_BYTES), StandardCharsets.UTF_8)
              .strip();
    } catch (IOException e) {
      said = "exit code " + process.exitValue();
    }
    return "gpio: " + gpio.chip() + " line " + gpio.line() + " (expected a free line): " + said;
  }

  private boolean isFirstVersion(Command command) throws FailedException, InterruptedException {
    ProgramRun.End end = run(List.of(gpio.gpioset(), "--version"), command);
    return end.text().contains(" v1.");
  }

  private boolean read(int line, Command command) throws FailedException, InterruptedException {
    boolean first = run(List.of(gpio.gpioget(), "--version"), command).text().contains(" v1.");
    List<String> vector =
        first
            ? List.of(gpio.gpioget(), gpio.chip(), Integer.toString(line))
            : List.of(gpio.gpioget(), "--numeric", "--chip", gpio.chip(), Integer.toString(line));
    ProgramRun.End end = run(vector, command);
    Integer exit = end.exit();
    if (exit == null || exit != 0) {
      throw new FailedException(
          Failure.GPIO_FAILED,
          "gpio: "
              + gpio.chip()
              + " line "
              + line
              + " (expected a free line): "
              + end.text().strip());
    }
    return end.text().strip().equals("1");
  }

  /** Progress is not told of what is none. */
  private ProgramRun.End run(List<String> vector, Command command)
      throws FailedException, InterruptedException {
    Command quiet = Command.of(command.action(), Map.of(), (percent, text) -> {});
    return ProgramRun.run(Program.fixed(vector, timeLimit), quiet);
  }

  private FailedException missing(IOException e) {
    return new FailedException(
        Failure.PROGRAM_MISSING,
        "program: "
            + gpio.gpioset()
            + " (expected libgpiod's; Debian: apt-get install gpiod): "
            + e.getMessage());
  }

  private synchronized void release() {
    Process old = holder;
    holder = null;
    if (old == null) {
      return;
    }
    old.destroy();
    try {
      if (!old.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        old.destroyForcibly();
      }
    } catch (InterruptedException e) {
      old.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
