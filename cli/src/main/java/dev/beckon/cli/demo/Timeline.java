package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Mapping;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One command's way, told by both ends: the server's timeline and the device's log in one order.
 *
 * <p>Both ends run on the same machine here, so their clocks agree.
 */
final class Timeline {

  /** What happens at one instant happens in this order. */
  private static final List<String> ORDER =
      List.of(
          "queued",
          "mapping lost",
          "wake sent",
          "wake received",
          "new mapping",
          "wake answered",
          "dials",
          "session opened",
          "delivered",
          "started",
          "progress",
          "finished");

  /** What the device's log adds to the server's timeline. */
  private static final Set<String> FROM_DEVICE = Set.of("wake", "dial", "mapped-address");

  private static final Map<String, String> NAMES =
      Map.of("wake", "wake received", "dial", "dials", "mapped-address", "new mapping");

  /**
   * A row.
   *
   * @param millis since the command was accepted
   * @param who the server or the device
   * @param what happened
   * @param detail addresses, mostly
   */
  record Row(long millis, String who, String what, String detail) {}

  private final JsonNode command;
  private final Instant start;
  private final String innerUdp;
  private final List<Mapping> mappings;

  /**
   * A timeline to be told.
   *
   * @param command as the API shows it
   * @param innerUdp the address:port of the device's own UDP socket
   * @param mappings what the router knows of it
   */
  Timeline(JsonNode command, String innerUdp, List<Mapping> mappings) {
    this.command = command;
    this.innerUdp = innerUdp;
    this.mappings = List.copyOf(mappings);
    start = Instant.parse(command.path("acceptedAt").asText());
  }

  /** All rows, in order. */
  List<Row> rows(List<AgentLine> deviceLog) {
    List<Row> rows = new ArrayList<>();
    command.path("timeline").forEach(entry -> rows.add(serverRow(entry)));
    long last = rows.stream().mapToLong(Row::millis).max().orElse(0);
    for (AgentLine line : deviceLog) {
      long millis = millis(line.at());
      if (FROM_DEVICE.contains(line.event()) && millis >= 0 && millis <= last) {
        rows.add(deviceRow(line, millis));
      }
    }
    putReceiptBeforeAnswer(rows);
    rows.sort(Comparator.comparingLong(Row::millis).thenComparingInt(r -> ORDER.indexOf(r.what())));
    return rows;
  }

  /** The device answers a wake before it says so, and the answer may overtake the saying. */
  private static void putReceiptBeforeAnswer(List<Row> rows) {
    long answered =
        rows.stream()
            .filter(r -> r.what().equals("wake answered"))
            .mapToLong(Row::millis)
            .findFirst()
            .orElse(Long.MAX_VALUE);
    rows.replaceAll(
        r ->
            r.what().equals("wake received") && r.millis() > answered
                ? new Row(answered, r.who(), r.what(), r.detail())
                : r);
  }

  private Row serverRow(JsonNode entry) {
    String what = entry.path("event").asText().replace('-', ' ');
    JsonNode details = entry.path("details");
    String detail =
        switch (what) {
          case "queued" -> "on the server's disk";
          case "wake sent" ->
              details.path("serverAddress").asText()
                  + " → "
                  + details.path("mappedAddress").asText();
          case "session opened" -> session(details);
          default -> "";
        };
    return new Row(millis(Instant.parse(entry.path("at").asText())), "server", what, detail);
  }

  /** The device's TCP connection as both ends see it. */
  private String session(JsonNode details) {
    String mapped =
        Optional.ofNullable(text(details, "mappedAddress"))
            .or(() -> Optional.ofNullable(text(details, "from")))
            .orElse("");
    return mappings.stream()
        .filter(m -> m.protocol().equals("tcp") && m.mapped().equals(mapped))
        .findFirst()
        .map(m -> "from " + m.inner() + ", seen as " + mapped)
        .orElse(mapped.isEmpty() ? "" : "from " + mapped);
  }

  private static @Nullable String text(JsonNode node, String name) {
    return node.path(name).isTextual() ? node.path(name).asText() : null;
  }

  private Row deviceRow(AgentLine line, long millis) {
    String detail =
        switch (line.event()) {
          case "wake" -> "at " + innerUdp;
          case "dial" -> "to " + line.details().getOrDefault("server", "");
          default -> innerUdp + " is now " + line.details().getOrDefault("mapped", "");
        };
    String what = NAMES.getOrDefault(line.event(), line.event());
    return new Row(millis, command.path("deviceId").asText(), what, detail);
  }

  private long millis(Instant at) {
    return Duration.between(start, at).toMillis();
  }
}
