package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The fleet's certificate authority. */
@Command(
    name = "ca",
    description = "List the CA roots, and roll the CA over to a new one.",
    subcommands = {CaCommand.ListAll.class, CaCommand.Roll.class, CaCommand.Finish.class})
final class CaCommand {

  private CaCommand() {}

  private static void print(Surroundings surroundings, JsonNode answer) {
    Table table = new Table("FINGERPRINT", "STATE", "UNTIL", "DEVICES", "SERVERS");
    for (JsonNode root : answer.path("roots")) {
      table.row(
          root.path("fingerprint").asText(),
          root.path("newest").asBoolean() ? "newest" : "older",
          root.path("notAfter").asText(),
          root.path("devices").asText(),
          root.path("servers").asText());
    }
    Ink ink = new Ink(surroundings.colours(surroundings.outIsTerminal()));
    table.lines(ink, cell -> cell).forEach(surroundings.out()::println);
  }

  /** One line for each root. */
  @Command(name = "list", description = "List the CA roots and how many depend on each.")
  static final class ListAll implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    ListAll(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer = server.open(surroundings).get("/v1/ca-roots");
      if (output.json()) {
        output.print(surroundings, answer);
      } else {
        print(surroundings, answer);
      }
    }
  }

  /** Makes a second root. */
  @Command(
      name = "roll",
      description = {
        "Make a second CA root, which signs from now on. Both are trusted; no device is shut out.",
        "Servers get it at once, devices when they next dial in. Then: beckon ca finish."
      })
  static final class Roll implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    Roll(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer = server.open(surroundings).post("/v1/ca-roots", Api.JSON.createObjectNode());
      if (output.json()) {
        output.print(surroundings, answer);
      } else {
        print(surroundings, answer);
        surroundings.err().println("  back up fleet-ca.pem of the server's data folder now");
      }
    }
  }

  /** Drops the older root. */
  @Command(
      name = "finish",
      description = "Trust the older CA root no more. Refused while devices or servers do.")
  static final class Finish implements Runnable {

    private final Surroundings surroundings;

    @Mixin private final ServerOptions server = new ServerOptions();
    @Mixin private final OutputOptions output = new OutputOptions();

    @Option(
        names = "--force",
        description = "Also if some depend on it: they are shut out until enrolled anew.")
    private boolean force;

    Finish(Surroundings surroundings) {
      this.surroundings = surroundings;
    }

    @Override
    public void run() {
      JsonNode answer =
          server.open(surroundings).delete("/v1/ca-roots/older" + (force ? "?force=true" : ""));
      if (output.json()) {
        output.print(surroundings, answer);
      } else {
        surroundings.out().println("the older CA root is trusted no more");
      }
    }
  }
}
