package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

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
      String event = entry.path("event").asText();
      String details = details(event, entry.path("details"));
      String millis = millisBetween(command.path("acceptedAt"), entry.path("at"));
      String name = event.replace('-', ' ');
      to.println(
          String.format(Locale.ROOT, "%9s ms  ", millis)
              + (details.isEmpty()
                  ? name
                  : String.format(Locale.ROOT, "%-14s  ", name) + ink.faint(details)));
    }
  }

  void showEnd(JsonNode command) {
    String reason = command.path("reason").asText("");
    to.println(paintState(ink, state(command)) + (reason.isEmpty() ? "" : ": " + reason));
  }

  /** What a person wants to know of an event: addresses above all. JSON has the rest. */
  static String details(String event, JsonNode details) {
    if (event.equals("wake-sent")) {
      int transmission = details.path("transmission").asInt(1);
      return details.path("serverAddress").asText()
          + " → "
          + details.path("mappedAddress").asText()
          + (transmission > 1 ? "  (no. " + transmission + ")" : "");
    }
    StringJoiner text = new StringJoiner("  ");
    for (Map.Entry<String, JsonNode> detail : details.properties()) {
      switch (detail.getKey()) {
        case "wakeId", "deviceTime" -> {}
        case "from" -> text.add("from " + detail.getValue().asText());
        case "state", "reason" -> text.add(detail.getValue().asText());
        default -> text.add(detail.getKey() + "=" + indented(detail.getValue().asText()));
      }
    }
    return text.toString();
  }

  /**
   * What a device reports may have several lines; they stand below each other, and none of it gets
   * to control the terminal.
   */
  private static String indented(String text) {
    String indentation = "\n" + " ".repeat(30);
    return text.replaceAll("\\R", "\n")
        .replaceAll("[\\p{Cntrl}&&[^\n\t]]", "?")
        .replace("\n", indentation);
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
