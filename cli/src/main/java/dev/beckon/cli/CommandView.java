package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;

/** Shows a command's timeline as it grows, and how the command ended. Not thread-safe. */
final class CommandView {

  private final PrintStream to;
  private final Ink ink;
  private int shown;

  CommandView(PrintStream to, Ink ink) {
    this.to = to;
    this.ink = ink;
  }

  static boolean ended(JsonNode command) {
    return switch (state(command)) {
      case "QUEUED", "DELIVERED", "RUNNING" -> false;
      default -> true;
    };
  }

  static String state(JsonNode command) {
    return command.path("state").asText();
  }

  static int exitCode(JsonNode command) {
    return switch (state(command)) {
      case "SUCCEEDED" -> ExitCode.DONE;
      case "EXPIRED" -> ExitCode.EXPIRED;
      default -> ExitCode.FAILED;
    };
  }

  static String call(JsonNode command) {
    StringBuilder call = new StringBuilder(command.path("action").asText());
    for (Map.Entry<String, JsonNode> arg : command.path("args").properties()) {
      call.append(' ').append(arg.getKey()).append('=').append(shortened(arg.getValue().asText()));
    }
    return call.toString();
  }

  static String paintState(Ink ink, String state) {
    return switch (state) {
      case "SUCCEEDED" -> ink.good(state);
      case "FAILED", "REJECTED", "EXPIRED", "CANCELLED", "UNKNOWN" -> ink.bad(state);
      case "QUEUED", "DELIVERED", "RUNNING" -> ink.waiting(state);
      default -> state;
    };
  }

  void showHead(JsonNode command) {
    to.println(
        ink.bold(command.path("id").asText())
            + " to "
            + ink.bold(command.path("deviceId").asText())
            + ": "
            + call(command));
  }

  /** Shows the entries that were not there yet when it was last called. */
  void showNew(JsonNode command) {
    JsonNode timeline = command.path("timeline");
    for (; shown < timeline.size(); shown++) {
      JsonNode entry = timeline.get(shown);
      StringBuilder details = new StringBuilder();
      for (Map.Entry<String, JsonNode> detail : entry.path("details").properties()) {
        details.append("  ").append(detail.getKey()).append('=').append(detail.getValue().asText());
      }
      String millis = millisBetween(command.path("acceptedAt"), entry.path("at"));
      to.println(
          String.format(Locale.ROOT, "%9s ms  ", millis)
              + String.format(Locale.ROOT, details.isEmpty() ? "%s" : "%-14s", event(entry))
              + ink.faint(details.toString()));
    }
  }

  void showEnd(JsonNode command) {
    String reason = command.path("reason").asText("");
    to.println(paintState(ink, state(command)) + (reason.isEmpty() ? "" : ": " + reason));
  }

  private static String event(JsonNode entry) {
    return entry.path("event").asText();
  }

  private static String millisBetween(JsonNode from, JsonNode to) {
    try {
      Duration between = Duration.between(Instant.parse(from.asText()), Instant.parse(to.asText()));
      return Long.toString(between.toMillis());
    } catch (DateTimeParseException e) {
      return "?";
    }
  }

  private static String shortened(String value) {
    String line = value.replaceAll("\\s+", " ");
    return line.length() <= 60 ? line : line.substring(0, 57) + "...";
  }
}
