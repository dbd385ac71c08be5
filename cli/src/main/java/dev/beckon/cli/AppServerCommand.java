package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.protocol.directory.ServerAddress;
import dev.beckon.server.directory.ApplicationServer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** The application servers, and the directory that tells devices where they are. */
@Command(
    name = "app-server",
    description = {
      "Add, change, list and remove application servers.",
      "Always against the rendezvous server: it tells the devices where each of them is."
    },
    subcommands = {
      AppServerCommand.Add.class,
      AppServerCommand.Set.class,
      AppServerCommand.ListAll.class,
      AppServerCommand.Remove.class
    })
final class AppServerCommand {

  private static final String PATH = "/v1/application-servers";
  private static final String NUMBER =
      "1 to 65534; 65535 is a directory server of its own. Wakes name it.";
  private static final String ADDRESS =
      "Where devices dial it: ADDRESS, ADDRESS:PORT, HOST, HOST:PORT or a URL; IPv6 in brackets."
          + " Without a port 5349.";

  private AppServerCommand() {}

  /** What the list says of a server. */
  private static final class Entry {

    @Parameters(
        index = "0",
        paramLabel = "NUMBER",
        description = NUMBER,
        converter = NumberConverter.class)
    private int number;

    @Parameters(index = "1", paramLabel = "NAME", description = "For people.")
    private String name = "";

    @Parameters(
        index = "2",
        paramLabel = "ADDRESS",
        description = ADDRESS,
        converter = AddressConverter.class)
    private String address = "";

    String path() {
      return AppServerCommand.path(number);
    }

    ObjectNode json() {
      return Api.JSON.createObjectNode().put("name", name).put("address", address);
    }
  }

  /** Prints the enrollment code, alone on standard output. */
  @Command(
      name = "add",
      description = {
        "Put a server on the list, make an enrollment code for it and print the code.",
        "A known number is enrolled anew: its old identity ends when the code is used."
      })
  static final class Add extends InvitingCommand {

    @Mixin private final Entry entry = new Entry();

    Add(Surroundings surroundings) {
      super(surroundings, "on that server, %s: beckon serve --enroll CODE");
    }

    @Override
    JsonNode ask(Api api) {
      return api.post(entry.path(), entry.json().put("valid", valid()));
    }

    @Override
    void show(JsonNode answer) {
      super.show(answer);
      sayIfNotSigned(this, answer.path("directory"));
    }
  }

  /** Changes what the list says of a server. */
  @Command(name = "set", description = "Change the name and the address of a server.")
  static final class Set extends RequestCommand {

    @Mixin private final Entry entry = new Entry();

    Set(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.put(entry.path(), entry.json());
    }

    @Override
    void show(JsonNode answer) {
      print(entry.number + " is " + entry.name + " at " + entry.address);
      sayIfNotSigned(this, answer.path("directory"));
    }
  }

  /** One line for each server. */
  @Command(
      name = "list",
      description = "List the application servers, and how far the devices have the list.")
  static final class ListAll extends RequestCommand {

    ListAll(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.get(PATH);
    }

    @Override
    void show(JsonNode answer) {
      if (answer.path("applicationServers").isEmpty()) {
        remark("no application servers yet: 'beckon app-server add NUMBER NAME ADDRESS' adds one");
        return;
      }
      Table table = new Table("NUMBER", "NAME", "ADDRESS", "STATE", "GENERATION");
      for (JsonNode each : answer.path("applicationServers")) {
        table.row(
            each.path("number").asText(),
            each.path("name").asText(),
            each.path("address").asText(),
            each.path("state").asText(),
            each.path("generation").asText());
      }
      print(table, cell -> paint(ink(), cell));
      JsonNode directory = answer.path("directory");
      remark(
          "directory version "
              + directory.path("version").asText()
              + " of "
              + directory.path("issuedAt").asText("-")
              + ": "
              + directory.path("devicesUpToDate").asText()
              + " devices have it, "
              + directory.path("devicesBeingWoken").asText()
              + " are being woken for it");
      sayIfNotSigned(this, directory);
    }
  }

  /** Takes a server off the list. */
  @Command(
      name = "remove",
      description = "Take a server off the list and shut it out; its certificate counts no more.")
  static final class Remove extends RequestCommand {

    @Parameters(
        paramLabel = "NUMBER",
        description = "Its number.",
        converter = NumberConverter.class)
    private int number;

    Remove(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.delete(path(number));
    }

    @Override
    void show(JsonNode answer) {
      print(number + " removed");
      sayIfNotSigned(this, answer.path("directory"));
    }
  }

  private static String path(int number) {
    return PATH + "/" + number;
  }

  private static void sayIfNotSigned(ClientCommand command, JsonNode directory) {
    if (!directory.path("upToDate").asBoolean(true)) {
      command.remark(
          "not in the devices' directory yet: it waits for the directory server, "
              + directory.path("signer").asText());
    }
  }

  private static String paint(Ink ink, String cell) {
    return switch (cell) {
      case "ENROLLED" -> ink.good(cell);
      case "INVITED" -> ink.waiting(cell);
      default -> cell;
    };
  }

  /** Refuses what can be no server's number before anybody is asked about it. */
  static final class NumberConverter implements ITypeConverter<Integer> {

    @Override
    public Integer convert(String text) {
      try {
        return ApplicationServer.parseNumber(text);
      } catch (IllegalArgumentException unfit) {
        throw new TypeConversionException(unfit.getMessage());
      }
    }
  }

  /** Refuses an address that no device could dial. */
  static final class AddressConverter implements ITypeConverter<String> {

    @Override
    public String convert(String text) {
      try {
        ServerAddress.parse(text);
        return text;
      } catch (IllegalArgumentException unfit) {
        throw new TypeConversionException(unfit.getMessage());
      }
    }
  }
}
