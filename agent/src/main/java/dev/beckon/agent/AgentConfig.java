package dev.beckon.agent;

import dev.beckon.device.Delivery;
import dev.beckon.device.Parameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code agent.yaml} says.
 *
 * @param delivery null if it is left to the default
 * @param interval null if it is left to the default
 * @param values by name, what {@code set} and {@code get} are about
 * @param programs by name, what {@code run} may run
 */
record AgentConfig(
    @Nullable Delivery delivery,
    @Nullable Duration interval,
    boolean oneWayKeepalives,
    Map<String, Value> values,
    Map<String, Program> programs) {

  static final AgentConfig EMPTY = new AgentConfig(null, null, false, Map.of(), Map.of());

  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(60);

  /**
   * Something that can be set.
   *
   * @param initial until it is first set; null if it has no value until then
   */
  record Value(Parameter parameter, @Nullable String initial) {}

  /**
   * A program that may be run.
   *
   * @param command the program and its arguments; an argument {@code {name}} stands for a parameter
   * @param folder to run it in; null for the agent's own
   */
  record Program(
      List<String> command,
      Map<String, Parameter> parameters,
      Duration timeLimit,
      @Nullable Path folder) {}

  static AgentConfig read(Path file) throws ConfigException {
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new ConfigException("config: " + file + " (expected a file; there is none)");
    } catch (IOException e) {
      throw new ConfigException("config: " + file + " (cannot be read: " + e.getMessage() + ")");
    }
  }

  static AgentConfig parse(String file, String text) throws ConfigException {
    YamlMap top =
        YamlMap.parse(file, text)
            .onlyWith("delivery", "interval", "one-way-keepalives", "values", "programs");
    Delivery delivery =
        top.<Delivery>value("delivery", "push or inquiry", AgentConfig::parseDelivery);
    Duration interval =
        top.<Duration>value("interval", DurationText.EXPECTATION, DurationText::parse);
    Map<String, Value> values = new LinkedHashMap<>();
    YamlMap valueMaps = top.map("values");
    for (String name : valueMaps.keys()) {
      YamlMap map = valueMaps.map(name);
      map.onlyWith("type", "minimum", "maximum", "one-of", "description", "initial");
      Parameter parameter = parameter(valueMaps, name, map);
      String initial = map.text("initial");
      String refusal = initial == null ? null : parameter.refusal(initial);
      if (refusal != null) {
        throw map.bad("initial", refusal);
      }
      values.put(name, new Value(parameter.optional(), initial));
    }
    Map<String, Program> programs = new LinkedHashMap<>();
    YamlMap programMaps = top.map("programs");
    for (String name : programMaps.keys()) {
      programs.put(name, program(programMaps, name));
    }
    return new AgentConfig(delivery, interval, top.flag("one-way-keepalives"), values, programs);
  }

  static Delivery parseDelivery(String text) {
    return switch (text) {
      case "push" -> Delivery.PUSH;
      case "inquiry" -> Delivery.INQUIRY;
      default -> throw new IllegalArgumentException(text + " (expected push or inquiry)");
    };
  }

  private static Program program(YamlMap programs, String name) throws ConfigException {
    YamlMap map = programs.map(name);
    map.onlyWith("command", "parameters", "time-limit", "folder", "description");
    if (name.isEmpty() || name.contains(" ")) {
      throw programs.bad(name, "a program's name (expected one word)");
    }
    List<String> command = map.list("command");
    if (command.isEmpty()) {
      throw programs.bad(name, "no command (expected command: [PROGRAM, ARGUMENT…])");
    }
    Map<String, Parameter> parameters = new LinkedHashMap<>();
    YamlMap parameterMaps = map.map("parameters");
    for (String parameterName : parameterMaps.keys()) {
      YamlMap parameterMap = parameterMaps.map(parameterName);
      parameterMap.onlyWith("type", "minimum", "maximum", "one-of", "description", "optional");
      if (parameterName.equals(RunAction.PROGRAM)) {
        throw parameterMaps.bad(parameterName, "taken (expected another name)");
      }
      Parameter parameter = parameter(parameterMaps, parameterName, parameterMap);
      parameters.put(
          parameterName, parameterMap.flag("optional") ? parameter.optional() : parameter);
    }
    for (String argument : command) {
      String parameterName = RunAction.parameterOf(argument);
      if (parameterName != null && !parameters.containsKey(parameterName)) {
        throw map.bad(
            "command", argument + " (expected one of the parameters " + parameters.keySet() + ")");
      }
    }
    if (RunAction.parameterOf(command.get(0)) != null) {
      throw map.bad("command", command.get(0) + " (expected a fixed program)");
    }
    Duration timeLimit =
        map.<Duration>value("time-limit", DurationText.EXPECTATION, DurationText::parse);
    String folder = map.text("folder");
    return new Program(
        command,
        parameters,
        timeLimit == null ? DEFAULT_TIME_LIMIT : timeLimit,
        folder == null ? null : Path.of(folder));
  }

  private static Parameter parameter(YamlMap parent, String name, YamlMap map)
      throws ConfigException {
    try {
      Parameter parameter = typed(name, map);
      Double minimum = map.number("minimum");
      Double maximum = map.number("maximum");
      if ((minimum == null) != (maximum == null)) {
        throw parent.bad(name, "half a range (expected minimum and maximum)");
      }
      if (minimum != null && maximum != null) {
        parameter = parameter.between(minimum, maximum);
      }
      if (map.has("one-of")) {
        parameter = parameter.oneOf(map.list("one-of").toArray(new String[0]));
      }
      String description = map.text("description");
      return description == null ? parameter : parameter.describedAs(description);
    } catch (IllegalArgumentException e) {
      throw parent.bad(name, String.valueOf(e.getMessage()));
    }
  }

  private static Parameter typed(String name, YamlMap map) throws ConfigException {
    String type = map.text("type");
    return switch (type == null ? "text" : type.toLowerCase(Locale.ROOT)) {
      case "text" -> Parameter.text(name);
      case "integer" -> Parameter.integer(name);
      case "number" -> Parameter.number(name);
      case "flag" -> Parameter.flag(name);
      default -> throw map.bad("type", type + " (expected text, integer, number or flag)");
    };
  }
}
