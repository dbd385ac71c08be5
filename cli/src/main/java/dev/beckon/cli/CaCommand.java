package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The fleet's certificate authority. */
@Command(
    name = "ca",
    description = "List the CA roots, and roll the CA over to a new one.",
    subcommands = {CaCommand.ListAll.class, CaCommand.Roll.class, CaCommand.Finish.class})
final class CaCommand {

  private CaCommand() {}

  /** Shows one line for each root. */
  abstract static class RootsCommand extends RequestCommand {

    RootsCommand(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    void show(JsonNode answer) {
      Table table = new Table("FINGERPRINT", "STATE", "UNTIL", "DEVICES", "SERVERS");
      for (JsonNode root : answer.path("roots")) {
        table.row(
            root.path("fingerprint").asText(),
            root.path("newest").asBoolean() ? "newest" : "older",
            root.path("notAfter").asText(),
            root.path("devices").asText(),
            root.path("servers").asText());
      }
      print(table, cell -> cell);
    }
  }

  /** The roots as they are. */
  @Command(name = "list", description = "List the CA roots and how many depend on each.")
  static final class ListAll extends RootsCommand {

    ListAll(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.get("/v1/ca-roots");
    }
  }

  /** Makes a second root. */
  @Command(
      name = "roll",
      description = {
        "Make a second CA root, which signs from now on. Both are trusted; no device is shut out.",
        "Servers get it at once, devices when they next dial in. Then: beckon ca finish."
      })
  static final class Roll extends RootsCommand {

    Roll(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.post("/v1/ca-roots", Api.JSON.createObjectNode());
    }

    @Override
    void show(JsonNode answer) {
      super.show(answer);
      remark("  back up fleet-ca.pem of the server's data folder now");
    }
  }

  /** Drops the older root. */
  @Command(
      name = "finish",
      description = "Trust the older CA root no more. Refused while devices or servers do.")
  static final class Finish extends RequestCommand {

    @Option(
        names = "--force",
        description = "Also if some depend on it: they are shut out until enrolled anew.")
    private boolean force;

    Finish(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.delete("/v1/ca-roots/older" + (force ? "?force=true" : ""));
    }

    @Override
    void show(JsonNode answer) {
      print("the older CA root is trusted no more");
    }
  }
}
