package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
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
  static final class ListAll extends RequestCommand {

    ListAll(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.get("/v1/keys");
    }

    @Override
    void show(JsonNode answer) {
      Table table = new Table("KEY", "STATE", "DEVICES");
      for (JsonNode key : answer.path("keys")) {
        table.row(
            key.path("id").asText(),
            key.path("newest").asBoolean() ? "newest" : "older",
            key.path("devices").asText());
      }
      print(table, cell -> cell);
    }
  }

  /** Makes a second key. */
  @Command(
      name = "rotate",
      description = {
        "Make a second master key. Both count; no device is shut out.",
        "Devices move to it when they next dial in. Then: beckon key retire ID."
      })
  static final class Rotate extends RequestCommand {

    Rotate(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.post("/v1/keys", Api.JSON.createObjectNode());
    }

    @Override
    void show(JsonNode answer) {
      print("key " + answer.path("id").asText() + " is live");
      remark("  back up master.keys of the server's data folder now");
    }
  }

  /** Ends an older key. */
  @Command(
      name = "retire",
      description = "End an older master key. Refused while devices use it, unless forced.")
  static final class Retire extends RequestCommand {

    @Option(
        names = "--force",
        description = "Also if devices use it: they are silent until they are enrolled anew.")
    private boolean force;

    @Parameters(paramLabel = "ID", description = "The key's ID, as in: beckon key list.")
    private int id;

    Retire(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.delete("/v1/keys/" + id + (force ? "?force=true" : ""));
    }

    @Override
    void show(JsonNode answer) {
      print("key " + id + " is retired");
    }
  }
}
