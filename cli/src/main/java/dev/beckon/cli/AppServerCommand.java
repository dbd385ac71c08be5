package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.protocol.directory.ServerAddress;
import dev.beckon.server.directory.ApplicationServer;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
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

  /** Prints the enrollment code, alone on standard output. */
  @Command(
      name = "add",
      description = {
        "Put a server on the list, make an enrollment code for it and print the code.",
        "A known number is enrolled anew: its old identity ends when the code is used."
      })
  static final class Add implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    @Option(
        names = "--valid",
        paramLabel = "DURATION",
        description =
            "How long the code can be used, such as 10m or 24h (default: ${DEFAULT-VALUE}).")
    private String valid = "1h";

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

    Add(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer =
          server
              .open(surroundings)
              .post(PATH + "/" + number, entry(name, address).put("valid", valid));
      if (output.json()) {
        output.print(surroundings, answer);
        return;
      }
      surroundings.out().println(answer.path("enrollmentCode").asText());
      if (surroundings.outIsTerminal()) {
        surroundings
            .err()
            .println("  on that server, within " + valid + ": beckon serve --enroll CODE");
      }
      sayIfNotSigned(surroundings, answer.path("directory"));
    }
  }

  /** Changes what the list says of a server. */
  @Command(name = "set", description = "Change the name and the address of a server.")
  static final class Set implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    @Parameters(
        index = "0",
        paramLabel = "NUMBER",
        description = "Its number.",
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

    Set(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer = server.open(surroundings).put(PATH + "/" + number, entry(name, address));
      if (output.json()) {
        output.print(surroundings, answer);
        return;
      }
      surroundings.out().println(number + " is " + name + " at " + address);
      sayIfNotSigned(surroundings, answer.path("directory"));
    }
  }

  /** One line for each server. */
  @Command(
      name = "list",
      description = "List the application servers, and how far the devices have the list.")
  static final class ListAll implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    ListAll(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer = server.open(surroundings).get(PATH);
      if (output.json()) {
        output.print(surroundings, answer);
        return;
      }
      if (answer.path("applicationServers").isEmpty()) {
        surroundings
            .err()
            .println(
                "no application servers yet: 'beckon app-server add NUMBER NAME ADDRESS' adds"
                    + " one");
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
      Ink ink = new Ink(surroundings.colours(surroundings.outIsTerminal()));
      table.lines(ink, cell -> paint(ink, cell)).forEach(surroundings.out()::println);
      JsonNode directory = answer.path("directory");
      surroundings
          .err()
          .println(
              "directory version "
                  + directory.path("version").asText()
                  + " of "
                  + directory.path("issuedAt").asText("-")
                  + ": "
                  + directory.path("devicesUpToDate").asText()
                  + " devices have it, "
                  + directory.path("devicesBeingWoken").asText()
                  + " are being woken for it");
      sayIfNotSigned(surroundings, directory);
    }
  }

  /** Takes a server off the list. */
  @Command(
      name = "remove",
      description = "Take a server off the list and shut it out; its certificate counts no more.")
  static final class Remove implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    @Parameters(
        paramLabel = "NUMBER",
        description = "Its number.",
        converter = NumberConverter.class)
    private int number;

    Remove(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer = server.open(surroundings).delete(PATH + "/" + number);
      if (output.json()) {
        output.print(surroundings, answer);
        return;
      }
      surroundings.out().println(number + " removed");
      sayIfNotSigned(surroundings, answer.path("directory"));
    }
  }

  private static ObjectNode entry(String name, String address) {
    return Api.JSON.createObjectNode().put("name", name).put("address", address);
  }

  private static void sayIfNotSigned(Surroundings surroundings, JsonNode directory) {
    if (!directory.path("upToDate").asBoolean(true)) {
      surroundings
          .err()
          .println(
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
        return ApplicationServer.checkNumber(Integer.parseInt(text));
      } catch (NumberFormatException notANumber) {
        throw new TypeConversionException("number: " + text + " (expected 1 to 65534)");
      } catch (IllegalArgumentException outOfRange) {
        throw new TypeConversionException(outOfRange.getMessage());
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
