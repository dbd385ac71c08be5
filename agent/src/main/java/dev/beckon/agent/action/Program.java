package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.Parameters;
import dev.beckon.agent.config.YamlMap;
import dev.beckon.device.Parameter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A program that may be run.
 *
 * @param command the program and its arguments; an argument {@code {name}} stands for a parameter
 * @param folder to run it in; null for the agent's own
 */
public record Program(
    List<String> command,
    Map<String, Parameter> parameters,
    Duration timeLimit,
    @Nullable Path folder) {

  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(60);

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([A-Za-z0-9._-]+)}");

  /** As in {@code ${HOME}} of a shell or {@code %{http_code}} of curl: theirs, not ours. */
  private static final String FOREIGN_PREFIXES = "$%";

  /** A program that takes no parameters. */
  static Program fixed(List<String> command, Duration timeLimit) {
    return new Program(command, Map.of(), timeLimit, null);
  }

  /** All of the section {@code programs}. */
  static Map<String, Program> readAll(YamlMap programs) throws ConfigException {
    Map<String, Program> all = new LinkedHashMap<>();
    for (String name : programs.names()) {
      all.put(name, read(programs, name));
    }
    return all;
  }

  private static Program read(YamlMap programs, String name) throws ConfigException {
    YamlMap map =
        programs.map(name).onlyWith("command", "parameters", "time-limit", "folder", "description");
    List<String> command = map.list("command");
    if (command.isEmpty()) {
      throw programs.bad(name, "no command (expected command: [PROGRAM, ARGUMENT…])");
    }
    Map<String, Parameter> parameters = Parameters.read(map, "parameters", RunAction.PROGRAM);
    for (String argument : command) {
      checkPlaceholders(map, argument, parameters);
    }
    if (parameterOf(command.get(0)) != null) {
      throw map.bad("command", command.get(0) + " (expected a fixed program)");
    }
    String folder = map.text("folder");
    return new Program(
        command,
        parameters,
        map.duration("time-limit", DEFAULT_TIME_LIMIT),
        folder == null ? null : Path.of(folder));
  }

  private static void checkPlaceholders(
      YamlMap map, String argument, Map<String, Parameter> parameters) throws ConfigException {
    String whole = parameterOf(argument);
    if (whole != null && !parameters.containsKey(whole)) {
      throw map.bad(
          "command", argument + " (expected one of the parameters " + parameters.keySet() + ")");
    }
    Matcher inside = PLACEHOLDER.matcher(argument);
    while (whole == null && inside.find()) {
      String name = inside.group(1);
      boolean foreign =
          inside.start() > 0 && FOREIGN_PREFIXES.indexOf(argument.charAt(inside.start() - 1)) >= 0;
      if (parameters.containsKey(name) || !foreign) {
        throw map.bad(
            "command",
            argument
                + " (expected {"
                + name
                + "} as an argument of its own: a parameter never is a part of one)");
      }
    }
  }

  /** The parameter that an argument stands for; null if it stands for itself. */
  static @Nullable String parameterOf(String argument) {
    Matcher matcher = PLACEHOLDER.matcher(argument);
    return matcher.matches() ? matcher.group(1) : null;
  }

  /**
   * Why these values do not fit, as {@code name: value (expected …)}; null if they do: a text that
   * becomes an option could make the program do what the configuration does not allow. Behind
   * {@code --} nothing is an option.
   */
  @Nullable String refusal(Map<String, String> arguments) {
    for (String argument : command.subList(1, command.size())) {
      if (argument.equals("--")) {
        return null;
      }
      String name = parameterOf(argument);
      Parameter parameter = name == null ? null : parameters.get(name);
      String value = name == null ? null : arguments.get(name);
      if (parameter != null && parameter.isFreeText() && value != null && value.startsWith("-")) {
        return name
            + ": "
            + value
            + " (expected a text that does not begin with -, or -- before "
            + argument
            + " in agent.yaml)";
      }
    }
    return null;
  }

  /** What to execute; an optional parameter that is not given leaves no argument. */
  List<String> vector(Map<String, String> arguments) {
    List<String> vector = new ArrayList<>();
    for (String argument : command) {
      String parameter = parameterOf(argument);
      String value = parameter == null ? argument : arguments.get(parameter);
      if (value != null) {
        vector.add(value);
      }
    }
    return vector;
  }
}
