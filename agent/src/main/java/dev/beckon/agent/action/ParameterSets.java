package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of an action where one argument chooses which of the others belong, such as {@code
 * program} of {@code run}. The server is told all of them together; which belong to which choice is
 * checked on the device.
 */
final class ParameterSets {
  private final String chooser;
  private final Map<String, Map<String, Parameter>> sets;

  /**
   * @param chooser name of the argument that chooses
   * @param sets by what can be chosen: the parameters by name
   */
  ParameterSets(String chooser, Map<String, Map<String, Parameter>> sets) {
    this.chooser = chooser;
    this.sets = sets;
  }

  /** The argument that chooses. */
  Parameter choice() {
    return Parameter.text(chooser).oneOf(sets.keySet().toArray(new String[0]));
  }

  /**
   * All parameters, each optional.
   *
   * @param section of the configuration, for the complaint
   * @throws ConfigException if two mean different things by one name
   */
  Parameter[] union(String section) throws ConfigException {
    Map<String, Parameter> all = new LinkedHashMap<>();
    for (Map<String, Parameter> set : sets.values()) {
      for (Parameter parameter : set.values()) {
        Parameter former = all.put(parameter.name(), parameter.optional());
        if (former != null && !former.expectation().equals(parameter.expectation())) {
          throw new ConfigException(
              section
                  + ": parameter "
                  + parameter.name()
                  + " (expected the same type and range wherever it is used)");
        }
      }
    }
    return all.values().toArray(new Parameter[0]);
  }

  /**
   * What is wrong with the arguments, as {@code name: value (expected …)}; null if nothing is.
   *
   * @param common names that belong to every choice
   */
  @Nullable String refusal(Map<String, String> arguments, Set<String> common) {
    String chosen = arguments.get(chooser);
    Map<String, Parameter> set = sets.get(chosen);
    if (set == null) {
      return chooser + ": " + chosen + " (expected one of " + sets.keySet() + ")";
    }
    for (Parameter parameter : set.values()) {
      if (parameter.isRequired() && !arguments.containsKey(parameter.name())) {
        return parameter.name() + ": missing (expected " + parameter.expectation() + ")";
      }
    }
    for (String name : arguments.keySet()) {
      if (!name.equals(chooser) && !common.contains(name) && !set.containsKey(name)) {
        return name
            + ": unknown argument (expected "
            + set.keySet()
            + " for "
            + chooser
            + " "
            + chosen
            + ")";
      }
    }
    return null;
  }
}
