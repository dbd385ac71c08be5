package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The devices that a server knows. */
@Command(
    name = "device",
    description = "Add, list, show, label and revoke devices.",
    subcommands = {
      DeviceCommand.Add.class,
      DeviceCommand.ListAll.class,
      DeviceCommand.Show.class,
      DeviceCommand.Label.class,
      DeviceCommand.Revoke.class
    })
final class DeviceCommand {

  private DeviceCommand() {}

  /** Prints the enrollment code, alone on standard output. */
  @Command(
      name = "add",
      description = {
        "Make an enrollment code for a device and print it.",
        "A known ID is enrolled anew: its old identity ends when the code is used."
      })
  static final class Add extends InvitingCommand {

    @Parameters(
        paramLabel = "ID",
        description = "1 to 64 of A-Z a-z 0-9 . _ : -",
        converter = DeviceIdConverter.class)
    private String id = "";

    Add(Surroundings surroundings) {
      super(surroundings, "on the device, %s: beckon enroll CODE, then beckon agent");
    }

    @Override
    JsonNode ask(Api api) {
      return api.post(
          "/v1/devices", Api.JSON.createObjectNode().put("id", id).put("valid", valid()));
    }
  }

  /** One line for each device. */
  @Command(name = "list", description = "List the devices.")
  static final class ListAll extends ListCommand {

    @Option(
        names = "--label",
        paramLabel = "LABEL",
        split = ",",
        description = "Only devices that have this label; of several, separated by commas, all.")
    private List<String> labels = new ArrayList<>();

    ListAll(Surroundings surroundings) {
      super(surroundings, "devices");
    }

    @Override
    String path() {
      return "/v1/devices"
          + (labels.isEmpty() ? "" : "?label=" + Api.escape(String.join(",", labels)));
    }

    @Override
    String ifNone() {
      return labels.isEmpty()
          ? "no devices yet: 'beckon device add ID' adds one"
          : "no device has " + String.join(" and ", labels);
    }

    @Override
    void showEntries(JsonNode devices) {
      Table table = new Table("ID", "STATE", "REACHABLE", "MAPPED ADDRESS", "LAST SEEN", "LABELS");
      for (JsonNode device : devices) {
        JsonNode presence = device.path("presence");
        table.row(
            device.path("id").asText(),
            device.path("state").asText(),
            reachable(presence),
            presence.path("mappedAddress").asText("-"),
            presence.path("lastSeen").asText("-"),
            labels(device));
      }
      print(table, cell -> paint(ink(), cell));
    }
  }

  /** Everything the server knows about one device. */
  @Command(name = "show", description = "Show a device: its presence, addresses and actions.")
  static final class Show extends RequestCommand {

    @Parameters(paramLabel = "ID", converter = DeviceIdConverter.class, description = "Its ID.")
    private String id = "";

    Show(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.get("/v1/devices/" + Api.escape(id));
    }

    @Override
    void show(JsonNode device) {
      JsonNode presence = device.path("presence");
      Ink ink = ink();
      line(ink, "id", device.path("id").asText());
      line(ink, "state", paint(ink, device.path("state").asText()));
      line(ink, "generation", device.path("generation").asText());
      line(ink, "added", device.path("addedAt").asText());
      line(ink, "enrolled", device.path("enrolledAt").asText("-"));
      line(ink, "labels", labels(device));
      line(ink, "reachable", paint(ink, reachable(presence)));
      line(ink, "last seen", presence.path("lastSeen").asText("-"));
      line(ink, "mapped address", presence.path("mappedAddress").asText("-"));
      line(ink, "server address", presence.path("serverAddress").asText("-"));
      JsonNode interval = presence.path("intervalSeconds");
      line(ink, "interval", interval.isNumber() ? interval.asText() + " s" : "-");
      JsonNode actions = device.path("actions");
      if (!actions.isArray()) {
        line(ink, "actions", "not known yet (the device tells when it first dials in)");
        return;
      }
      print(ink.faint("actions"));
      for (JsonNode action : actions) {
        print("  " + signature(action));
      }
    }

    private void line(Ink ink, String name, String value) {
      print(ink.faint(String.format(Locale.ROOT, "%-16s", name)) + value);
    }
  }

  /** Gives a device its labels. */
  @Command(
      name = "label",
      description = {
        "Give a device labels, in the place of those that it had.",
        "'beckon send --group LABEL,…' sends to all devices that have all of the labels."
      })
  static final class Label extends RequestCommand {

    @Parameters(
        index = "0",
        paramLabel = "ID",
        converter = DeviceIdConverter.class,
        description = "Its ID.")
    private String id = "";

    @Parameters(
        index = "1..*",
        paramLabel = "LABEL",
        description = "1 to 64 of A-Z a-z 0-9 . _ : - each; 32 at most.")
    private List<String> labels = new ArrayList<>();

    @Option(names = "--clear", description = "Take all labels from it.")
    private boolean clear;

    Label(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      if (clear != labels.isEmpty()) {
        throw FailureException.usage(
            clear ? "--clear: not with labels" : "LABEL: missing (expected labels, or --clear)",
            null);
      }
      ObjectNode request = Api.JSON.createObjectNode();
      labels.forEach(request.putArray("labels")::add);
      return api.put("/v1/devices/" + Api.escape(id) + "/labels", request);
    }

    @Override
    void show(JsonNode device) {
      print(id + " " + labels(device));
    }
  }

  /** Shuts a device out. */
  @Command(
      name = "revoke",
      description = {
        "Shut a device out: its sessions end and nothing it sends counts any more.",
        "To let it in again: beckon device add ID, and enroll it anew."
      })
  static final class Revoke extends RequestCommand {

    @Parameters(paramLabel = "ID", converter = DeviceIdConverter.class, description = "Its ID.")
    private String id = "";

    Revoke(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.post("/v1/devices/" + Api.escape(id) + "/revocation", Api.JSON.createObjectNode());
    }

    @Override
    void show(JsonNode answer) {
      print(id + " revoked");
    }
  }

  private static String labels(JsonNode device) {
    StringJoiner labels = new StringJoiner(" ");
    device.path("labels").forEach(label -> labels.add(label.asText()));
    return labels.length() == 0 ? "-" : labels.toString();
  }

  private static String reachable(JsonNode presence) {
    JsonNode reachable = presence.path("reachable");
    return reachable.isBoolean() ? (reachable.asBoolean() ? "yes" : "no") : "-";
  }

  private static String paint(Ink ink, String cell) {
    return switch (cell) {
      case "ENROLLED", "yes" -> ink.good(cell);
      case "INVITED" -> ink.waiting(cell);
      case "REVOKED", "no" -> ink.bad(cell);
      default -> cell;
    };
  }

  /** How an action is called, in one line: {@code set key=STRING [value=INTEGER(0..100)]}. */
  private static String signature(JsonNode action) {
    StringBuilder text = new StringBuilder(action.path("name").asText());
    for (JsonNode parameter : action.path("parameters")) {
      String argument = parameter.path("name").asText() + "=" + values(parameter);
      text.append(' ')
          .append(parameter.path("required").asBoolean() ? argument : "[" + argument + "]");
    }
    if (action.path("acceptsOtherArgs").asBoolean()) {
      text.append(" [KEY=VALUE...]");
    }
    if (action.path("acceptsBody").asBoolean()) {
      text.append(" [--body FILE]");
    }
    String description = action.path("description").asText("");
    return description.isEmpty() ? text.toString() : text + "  (" + description + ")";
  }

  private static String values(JsonNode parameter) {
    if (!parameter.path("values").isEmpty()) {
      StringJoiner values = new StringJoiner("|");
      parameter.path("values").forEach(value -> values.add(value.asText()));
      return values.toString();
    }
    String type = parameter.path("type").asText();
    if (!parameter.has("min") && !parameter.has("max")) {
      return type;
    }
    return type
        + "("
        + parameter.path("min").asText("")
        + ".."
        + parameter.path("max").asText("")
        + ")";
  }
}
