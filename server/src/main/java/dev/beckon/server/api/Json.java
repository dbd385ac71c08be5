package dev.beckon.server.api;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Parameter;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Group;
import dev.beckon.server.command.Secrecy;
import dev.beckon.server.command.TimelineEntry;
import dev.beckon.server.identity.Device;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;

/** What the API says, as JSON; openapi.yaml describes it. */
final class Json {

  /** Refuses duplicate keys and anything behind the value: two readers must see one request. */
  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private Json() {}

  static String time(Instant instant) {
    return TIME.format(instant);
  }

  static ObjectNode group(Group group) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("id", group.id());
    group.labels().forEach(json.putArray("labels")::add);
    json.put("action", group.action());
    put(json.putObject("args"), group.args());
    put(json, group.secrecy());
    json.put("bodyBytes", group.bodyBytes());
    json.put("acceptedAt", time(group.acceptedAt()));
    json.put("deadline", time(group.deadline()));
    json.put("devices", group.devices());
    json.put("complete", group.complete());
    json.put("cancelAsked", group.cancelAsked());
    ObjectNode counts = json.putObject("counts");
    for (CommandState state : CommandState.values()) {
      counts.put(state.name(), group.count(state));
    }
    if (group.endedAt() != null) {
      json.put("endedAt", time(group.endedAt()));
    }
    return json;
  }

  private static void put(ObjectNode json, Secrecy secrecy) {
    if (secrecy.any()) {
      ArrayNode secret = json.putArray("secret");
      secrecy.args().stream().sorted().forEach(secret::add);
      json.put("secretBody", secrecy.body());
      json.put("secretResultBody", secrecy.resultBody());
    }
  }

  static ObjectNode command(Command command) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("id", command.id());
    if (command.groupId() != null) {
      json.put("groupId", command.groupId());
    }
    json.put("deviceId", command.deviceId().value());
    json.put("action", command.action());
    put(json.putObject("args"), command.args());
    put(json, command.secrecy());
    json.put("bodyBytes", command.bodyBytes());
    json.put("state", command.state().name());
    json.put("acceptedAt", time(command.acceptedAt()));
    json.put("deadline", time(command.deadline()));
    if (command.reason() != null) {
      json.put("reason", command.reason());
    }
    put(json.putObject("result"), command.result());
    json.put("resultBodyBytes", command.resultBodyBytes());
    ArrayNode timeline = json.putArray("timeline");
    for (TimelineEntry entry : command.timeline()) {
      ObjectNode item = timeline.addObject();
      item.put("at", time(entry.at()));
      item.put("event", entry.event());
      put(item.putObject("details"), entry.details());
    }
    return json;
  }

  /** Sorted, so that an answer looks the same each time. */
  private static void put(ObjectNode json, Map<String, String> map) {
    new TreeMap<>(map).forEach(json::put);
  }

  static ObjectNode device(
      Device device, Optional<Reachability.Presence> presence, SortedSet<String> labels) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("id", device.id().value());
    json.put("state", device.state().name());
    json.put("generation", device.generation());
    json.put("addedAt", time(device.addedAt()));
    if (device.enrolledAt() != null) {
      json.put("enrolledAt", time(device.enrolledAt()));
    }
    labels.forEach(json.putArray("labels")::add);
    json.set("presence", presence(presence));
    if (device.actions() != null) {
      json.set("actions", actions(device.actions()));
    }
    return json;
  }

  private static ObjectNode presence(Optional<Reachability.Presence> known) {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("reachable", known.map(Reachability.Presence::reachable).orElse(false));
    known.ifPresent(
        presence -> {
          json.put("lastSeen", time(presence.lastSeen()));
          json.put("mappedAddress", SocketAddresses.format(presence.mappedAddress()));
          json.put("serverAddress", SocketAddresses.format(presence.serverAddress()));
          json.put("intervalSeconds", presence.interval().toSeconds());
        });
    return json;
  }

  private static ArrayNode actions(Actions actions) {
    ArrayNode json = MAPPER.createArrayNode();
    for (Action action : actions.getActionsList()) {
      ObjectNode item = json.addObject();
      item.put("name", action.getName());
      item.put("description", action.getDescription());
      ArrayNode parameters = item.putArray("parameters");
      action.getParametersList().forEach(parameter -> put(parameters.addObject(), parameter));
      item.put("acceptsBody", action.getAcceptsBody());
      item.put("acceptsOtherArgs", action.getAcceptsOtherArgs());
    }
    return json;
  }

  private static void put(ObjectNode json, Parameter parameter) {
    json.put("name", parameter.getName());
    json.put(
        "type",
        switch (parameter.getType()) {
          case INTEGER -> "INTEGER";
          case NUMBER -> "NUMBER";
          case BOOLEAN -> "BOOLEAN";
          default -> "STRING";
        });
    json.put("required", parameter.getRequired());
    if (parameter.hasMinimum()) {
      putNumber(json, "min", parameter.getMinimum());
    }
    if (parameter.hasMaximum()) {
      putNumber(json, "max", parameter.getMaximum());
    }
    if (parameter.getAllowedCount() > 0) {
      ArrayNode values = json.putArray("values");
      parameter.getAllowedList().forEach(values::add);
    }
    json.put("description", parameter.getDescription());
  }

  /** A whole number without its ".0": it is a bound of integers as often as not. */
  private static void putNumber(ObjectNode json, String name, double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1L << 53) {
      json.put(name, (long) value);
    } else if (Double.isFinite(value)) {
      json.put(name, value);
    }
  }
}
