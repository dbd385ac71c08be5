package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that a server has accepted. */
@Command(
    name = "command",
    description = "Show, list and cancel commands.",
    subcommands = {
      CommandCommand.Show.class,
      CommandCommand.ListAll.class,
      CommandCommand.Cancel.class
    })
final class CommandCommand {

  private CommandCommand() {}

  /** One command with its timeline. */
  @Command(name = "show", description = "Show a command, its timeline and its result.")
  static final class Show extends ClientCommand implements Runnable {

    @Parameters(paramLabel = "ID", description = "The command's ID, as 'send' prints it.")
    private String id = "";

    @Option(
        names = "--save-body",
        paramLabel = "FILE",
        description = "Write the body of the result there (- is standard output, alone).")
    private @Nullable String saveBody;

    @Option(
        names = "--show-secrets",
        description =
            "Show the values of secret arguments, which needs the admin token. They are gone once"
                + " the command has ended.")
    private boolean showSecrets;

    Show(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    public void run() {
      Api api = api();
      JsonNode command =
          api.get("/v1/commands/" + Api.escape(id) + (showSecrets ? "?secrets=show" : ""));
      if (showSecrets && CommandView.ended(command) && !command.path("secret").isEmpty()) {
        remark("  the command has ended: its secrets are deleted");
      }
      if (saveBody != null) {
        ResultBody.save(api, command, saveBody, surroundings());
        if (saveBody.equals("-")) {
          return;
        }
      }
      if (json()) {
        print(command);
        return;
      }
      CommandView view = new CommandView(surroundings().out(), ink());
      view.showHead(command);
      view.showNew(command);
      view.showEnd(command);
      for (Map.Entry<String, JsonNode> entry : command.path("result").properties()) {
        print(entry.getKey() + "=" + entry.getValue().asText());
      }
    }
  }

  /** One line for each command, the newest first. */
  @Command(name = "list", description = "List commands, the newest first.")
  static final class ListAll extends ListCommand {

    @Option(
        names = "--device",
        paramLabel = "ID",
        converter = DeviceIdConverter.class,
        description = "Only this device's.")
    private @Nullable String device;

    @Option(
        names = "--state",
        paramLabel = "STATE",
        description = "Only those in this state, such as QUEUED or FAILED.")
    private @Nullable String state;

    ListAll(Surroundings surroundings) {
      super(surroundings, "commands");
    }

    @Override
    String path() {
      StringBuilder path = new StringBuilder("/v1/commands");
      if (device != null) {
        path.append("?device=").append(Api.escape(device));
      }
      if (state != null) {
        path.append(device == null ? '?' : '&')
            .append("state=")
            .append(Api.escape(state.toUpperCase(Locale.ROOT)));
      }
      return path.toString();
    }

    @Override
    String ifNone() {
      return "no commands";
    }

    @Override
    void showEntries(JsonNode commands) {
      Table table = new Table("ID", "DEVICE", "STATE", "ACCEPTED", "COMMAND");
      for (JsonNode command : commands) {
        table.row(
            command.path("id").asText(),
            command.path("deviceId").asText(),
            CommandView.state(command),
            command.path("acceptedAt").asText(),
            CommandView.call(command));
      }
      print(table, cell -> CommandView.paintState(ink(), cell));
    }
  }

  /** Takes a command back, as long as the device has not begun it. */
  @Command(
      name = "cancel",
      description = {
        "Cancel a command.",
        "One that waits is cancelled at once; of one already handed over the device is asked, and"
            + " it may have begun."
      })
  static final class Cancel extends RequestCommand {

    @Parameters(paramLabel = "ID", description = "The command's ID.")
    private String id = "";

    Cancel(Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    JsonNode ask(Api api) {
      return api.delete("/v1/commands/" + Api.escape(id));
    }

    @Override
    void show(JsonNode command) {
      print(
          id
              + " "
              + CommandView.state(command)
              + (CommandView.ended(command) ? "" : ": the device is asked to cancel it"));
    }
  }
}
