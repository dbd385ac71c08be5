package dev.beckon.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The options of a program that a script of bench starts: {@code --name value} pairs. A mistake
 * there is one of ours, so it is told plainly and ends the program.
 */
public final class Options {
  private final Map<String, String> values = new LinkedHashMap<>();

  /**
   * @throws IllegalArgumentException if an argument is no {@code --name}, or has no value
   */
  public Options(String... arguments) {
    for (int i = 0; i < arguments.length; i += 2) {
      if (!arguments[i].startsWith("--") || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            "option: " + arguments[i] + " (expected pairs of --name and value)");
      }
      values.put(arguments[i].substring(2), arguments[i + 1]);
    }
  }

  /**
   * @throws IllegalArgumentException if the option is missing
   */
  public String text(String name) {
    return optional(name)
        .orElseThrow(
            () -> new IllegalArgumentException("--" + name + ": missing (expected a value)"));
  }

  public Optional<String> optional(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /**
   * @throws IllegalArgumentException if the option is missing or no whole number
   */
  public int number(String name) {
    String text = text(name);
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "--" + name + ": " + text + " (expected a whole number)", e);
    }
  }
}
