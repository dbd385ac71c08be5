package dev.beckon.cli.demo;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A line of the agent's log: when, what, and the details.
 *
 * @param at the device's clock
 * @param event such as {@code wake} or {@code dial}
 * @param details the {@code key=value} words
 */
record AgentLine(Instant at, String event, Map<String, String> details) {

  /** Reads it; empty if it is not such a line. */
  static Optional<AgentLine> parse(String line) {
    String[] words = line.trim().split("\\s+");
    if (words.length < 2) {
      return Optional.empty();
    }
    try {
      Instant at = Instant.parse(words[0]);
      Map<String, String> details = new LinkedHashMap<>();
      for (int i = 2; i < words.length; i++) {
        int equals = words[i].indexOf('=');
        if (equals > 0) {
          details.put(words[i].substring(0, equals), words[i].substring(equals + 1));
        }
      }
      return Optional.of(new AgentLine(at, words[1], details));
    } catch (DateTimeParseException somethingElse) {
      return Optional.empty();
    }
  }
}
