package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@link Timeline} written for people. */
final class TimelineText {

  private final Ink ink;

  TimelineText(Ink ink) {
    this.ink = ink;
  }

  /** The lines, the command itself first and its end last. */
  List<String> lines(JsonNode command, String delivery, List<Timeline.Row> rows) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "  "
            + ink.bold(command.path("deviceId").asText())
            + " ◄ "
            + call(command)
            + " "
            + ink.faint("(" + delivery + ")"));
    int nameWidth = rows.stream().mapToInt(r -> r.who().length()).max().orElse(0);
    for (Timeline.Row row : rows) {
      String start =
          Screen.format("  %8d ms  ", row.millis()) + ink.faint(pad(row.who(), nameWidth));
      lines.add(
          row.detail().isEmpty()
              ? start + "  " + row.what()
              : start + "  " + pad(row.what(), 14) + "  " + ink.address(row.detail()));
    }
    lines.add("               " + end(command));
    return lines;
  }

  private static String call(JsonNode command) {
    StringBuilder call = new StringBuilder(command.path("action").asText());
    for (Map.Entry<String, JsonNode> argument : command.path("args").properties()) {
      String value = argument.getValue().asText();
      String quote = value.contains(" ") ? "\"" : "";
      call.append(' ').append(argument.getKey()).append('=').append(quote + value + quote);
    }
    return call.toString();
  }

  private String end(JsonNode command) {
    String state = command.path("state").asText();
    StringBuilder end = new StringBuilder();
    end.append(state.equals("SUCCEEDED") ? ink.good(state) : ink.bad(state));
    for (Map.Entry<String, JsonNode> entry : command.path("result").properties()) {
      end.append("  ").append(entry.getKey()).append('=').append(entry.getValue().asText());
    }
    String reason = command.path("reason").asText("");
    return reason.isEmpty() ? end.toString() : end + "  " + reason;
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
