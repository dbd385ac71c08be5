package dev.beckon.agent.action;

import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Switches the power by programs. */
final class ProgramSwitch implements PowerSwitch {
  private final Map<String, List<String>> programs;
  private final Duration timeLimit;

  ProgramSwitch(Map<String, List<String>> programs, Duration timeLimit) {
    this.programs = programs;
    this.timeLimit = timeLimit;
  }

  @Override
  public Result set(boolean on, Command command) throws FailedException, InterruptedException {
    String state = on ? PowerConfig.ON : PowerConfig.OFF;
    return run(state, command).result().with("state", state);
  }

  /** The first word that the program prints is the state. */
  @Override
  public Result status(Command command) throws FailedException, InterruptedException {
    ProgramRun.End end = run(PowerConfig.STATUS, command);
    String word = end.text().strip().split("\\s+", 2)[0].toLowerCase(Locale.ROOT);
    boolean known = word.equals(PowerConfig.ON) || word.equals(PowerConfig.OFF);
    return end.result().with("state", known ? word : "unknown");
  }

  /** Runs the program for that; what is no success is thrown. */
  ProgramRun.End run(String what, Command command) throws FailedException, InterruptedException {
    List<String> vector = programs.getOrDefault(what, List.of());
    ProgramRun.End end = ProgramRun.run(Program.fixed(vector, timeLimit), command);
    Result result = end.result();
    if (result.failure() != null) {
      throw new FailedException(result);
    }
    return end;
  }
}
