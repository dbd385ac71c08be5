package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@link Timeline} written for people. */
final class TimelineText {

  private final Paint paint;

  TimelineText(Paint paint) {
    this.paint = paint;
  }

  /** The lines, the command itself first and its end last. */
  List<String> lines(JsonNode command, String delivery, List<Timeline.Row> rows) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "  "
            + paint.bold(command.path("deviceId").asText())
            + " ◄ "
            + call(command)
            + " "
            + paint.faint("(" + delivery + ")"));
    int nameWidth = rows.stream().mapToInt(r -> r.who().length()).max().orElse(0);
    for (Timeline.Row row : rows) {
      String start =
          Screen.format("  %8d ms  ", row.millis()) + paint.faint(pad(row.who(), nameWidth));
      lines.add(
          row.detail().isEmpty()
              ? start + "  " + row.what()
              : start + "  " + pad(row.what(), 14) + "  " + paint.address(row.detail()));
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
    end.append(state.equals("SUCCEEDED") ? paint.good(state) : paint.bad(state));
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
