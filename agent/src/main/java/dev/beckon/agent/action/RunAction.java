package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The action {@code run}: runs a program that the configuration allows, with typed parameters. */
final class RunAction implements ActionHandler {
  static final String PROGRAM = "program";

  private final Map<String, Program> programs;
  private final ParameterSets parameters;

  RunAction(Map<String, Program> programs) {
    this.programs = programs;
    Map<String, Map<String, Parameter>> sets = new LinkedHashMap<>();
    programs.forEach((name, program) -> sets.put(name, program.parameters()));
    this.parameters = new ParameterSets(PROGRAM, sets);
  }

  /**
   * What the server is told.
   *
   * @throws ConfigException if two programs mean different things by one name
   */
  Action action() throws ConfigException {
    return Action.named("run")
        .describedAs("Runs an allowed program")
        .takes(parameters.choice())
        .takes(parameters.union("programs"))
        .checkedBy(this::refusal);
  }

  private @Nullable String refusal(Map<String, String> arguments) {
    String refusal = parameters.refusal(arguments, Set.of());
    Program program = programs.get(arguments.get(PROGRAM));
    return refusal != null || program == null ? refusal : program.refusal(arguments);
  }

  @Override
  public Result run(Command command) throws FailedException, InterruptedException {
    Program program = programs.get(command.text(PROGRAM));
    if (program == null) {
      throw new IllegalArgumentException(
          PROGRAM + ": " + command.text(PROGRAM) + " (expected an allowed one)");
    }
    return ProgramRun.run(program, command).result();
  }
}
