package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The master keys that devices' keys come from. */
@Command(
    name = "key",
    description = "List, rotate and retire the master keys.",
    subcommands = {KeyCommand.ListAll.class, KeyCommand.Rotate.class, KeyCommand.Retire.class})
final class KeyCommand {

  private KeyCommand() {}

  /** One line for each live key. */
  @Command(name = "list", description = "List the live master keys and how many devices use each.")
  static final class ListAll implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    ListAll(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer = server.open(surroundings).get("/v1/keys");
      if (output.json()) {
        output.print(surroundings, answer);
        return;
      }
      Table table = new Table("KEY", "STATE", "DEVICES");
      for (JsonNode key : answer.path("keys")) {
        table.row(
            key.path("id").asText(),
            key.path("newest").asBoolean() ? "newest" : "older",
            key.path("devices").asText());
      }
      Ink ink = new Ink(surroundings.colours(surroundings.outIsTerminal()));
      table.lines(ink, cell -> cell).forEach(surroundings.out()::println);
    }
  }

  /** Makes a second key. */
  @Command(
      name = "rotate",
      description = {
        "Make a second master key. Both count; no device is shut out.",
        "Devices move to it when they next dial in. Then: beckon key retire ID."
      })
  static final class Rotate implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    Rotate(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode key = server.open(surroundings).post("/v1/keys", Api.JSON.createObjectNode());
      if (output.json()) {
        output.print(surroundings, key);
      } else {
        surroundings.out().println("key " + key.path("id").asText() + " is live");
        surroundings.err().println("  back up master.keys of the server's data folder now");
      }
    }
  }

  /** Ends an older key. */
  @Command(
      name = "retire",
      description = "End an older master key. Refused while devices use it, unless forced.")
  static final class Retire implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    @Option(
        names = "--force",
        description = "Also if devices use it: they are silent until they are enrolled anew.")
    private boolean force;

    @Parameters(paramLabel = "ID", description = "The key's ID, as in: beckon key list.")
    private int id;

    Retire(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer =
          server.open(surroundings).delete("/v1/keys/" + id + (force ? "?force=true" : ""));
      if (output.json()) {
        output.print(surroundings, answer);
      } else {
        surroundings.out().println("key " + id + " is retired");
      }
    }
  }
}
