package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.YamlMap;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code power}: how the power is switched, by programs or by a line of a GPIO chip.
 *
 * @param programs by what they do ({@code on}, {@code off}, {@code cycle}, {@code status}); empty
 *     if a line does it
 * @param gpio null if programs do it
 * @param offTime how long a cycle keeps the power off
 */
public record PowerConfig(
    Map<String, List<String>> programs, @Nullable Gpio gpio, Duration offTime, Duration timeLimit) {

  static final String ON = "on";
  static final String OFF = "off";
  static final String CYCLE = "cycle";
  static final String STATUS = "status";

  private static final Duration DEFAULT_OFF_TIME = Duration.ofSeconds(5);
  private static final Duration MAX_OFF_TIME = Duration.ofHours(1);
  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(10);

  /**
   * A line that switches the power.
   *
   * @param chip such as {@code gpiochip0}
   * @param line its number on the chip
   * @param activeLow whether low means on
   * @param sense line that tells whether the power is on; null if there is none
   * @param gpioset the program of libgpiod that drives a line
   * @param gpioget the program of libgpiod that reads one
   */
  public record Gpio(
      String chip,
      int line,
      boolean activeLow,
      @Nullable Integer sense,
      String gpioset,
      String gpioget) {}

  static PowerConfig read(YamlMap power) throws ConfigException {
    power.onlyWith(ON, OFF, CYCLE, STATUS, "gpio", "off-time", "time-limit");
    Map<String, List<String>> programs = new LinkedHashMap<>();
    for (String state : List.of(ON, OFF, CYCLE, STATUS)) {
      List<String> command = power.list(state);
      if (power.has(state) && (command.isEmpty() || command.get(0).isEmpty())) {
        throw power.bad(state, "no command (expected [PROGRAM, ARGUMENT…])");
      }
      if (power.has(state)) {
        programs.put(state, command);
      }
    }
    Gpio gpio = power.has("gpio") ? gpio(power.map("gpio")) : null;
    if (gpio != null && !programs.isEmpty()) {
      throw power.bad("gpio", "beside programs (expected either of them)");
    }
    if (gpio == null && !(programs.containsKey(ON) && programs.containsKey(OFF))) {
      throw power.bad(
          programs.containsKey(ON) ? OFF : ON,
          "missing (expected a program for on and for off, or a gpio line)");
    }
    Duration offTime = power.duration("off-time", DEFAULT_OFF_TIME);
    if (offTime.compareTo(MAX_OFF_TIME) > 0) {
      throw power.bad("off-time", power.text("off-time") + " (expected at most 1h)");
    }
    return new PowerConfig(
        programs, gpio, offTime, power.duration("time-limit", DEFAULT_TIME_LIMIT));
  }

  private static Gpio gpio(YamlMap map) throws ConfigException {
    map.onlyWith("chip", "line", "active-low", "sense", "gpioset", "gpioget");
    if (!map.has("line")) {
      throw map.bad("line", "missing (expected the number of a line of the chip)");
    }
    String gpioset = map.text("gpioset");
    String gpioget = map.text("gpioget");
    int line = map.integer("line", 0, 1023, 0);
    Integer sense = map.has("sense") ? map.integer("sense", 0, 1023, 0) : null;
    if (sense != null && sense == line) {
      throw map.bad("sense", sense + " (expected another line than the one that switches)");
    }
    return new Gpio(
        map.required("chip", "a GPIO chip, such as gpiochip0"),
        line,
        map.flag("active-low", false),
        sense,
        gpioset == null ? "gpioset" : gpioset,
        gpioget == null ? "gpioget" : gpioget);
  }
}
