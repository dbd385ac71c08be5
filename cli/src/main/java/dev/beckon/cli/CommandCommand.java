package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
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
  @Command(
      name = "show",
      description = {
        "Show a command, its timeline and its result.",
        "Of a group command: how many of its commands are in each state."
      })
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
      if (GroupView.isGroup(command)) {
        if (saveBody != null) {
          throw FailureException.usage(
              "--save-body: " + id + " is a group command",
              "'beckon command list --group " + id + "' lists its commands");
        }
        if (json()) {
          print(command);
        } else {
          new GroupView(surroundings().out(), ink(), false).showAll(command);
        }
        return;
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
  @Command(
      name = "list",
      description = {
        "List commands, the newest first.",
        "A group command is one line; its commands are listed with --group, --device or --state."
      })
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

    @Option(names = "--group", paramLabel = "ID", description = "Only those of this group command.")
    private @Nullable String group;

    ListAll(Surroundings surroundings) {
      super(surroundings, "commands", "groups");
    }

    @Override
    String path() {
      List<String> query = new ArrayList<>();
      if (device != null) {
        query.add("device=" + Api.escape(device));
      }
      if (state != null) {
        query.add("state=" + Api.escape(state.toUpperCase(Locale.ROOT)));
      }
      if (group != null) {
        query.add("group=" + Api.escape(group));
      }
      return "/v1/commands" + (query.isEmpty() ? "" : "?" + String.join("&", query));
    }

    @Override
    String ifNone() {
      return "no commands";
    }

    @Override
    void showEntries(JsonNode commands) {
      Table table = new Table("ID", "DEVICE", "STATE", "ACCEPTED", "COMMAND");
      List<JsonNode> newestFirst = new ArrayList<>();
      commands.forEach(newestFirst::add);
      newestFirst.sort(
          Comparator.comparing((JsonNode each) -> each.path("id").asText()).reversed());
      for (JsonNode command : newestFirst) {
        boolean isGroup = GroupView.isGroup(command);
        table.row(
            command.path("id").asText(),
            isGroup ? GroupView.devices(command) : command.path("deviceId").asText(),
            isGroup ? GroupView.progress(command) : CommandView.state(command),
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
        "Cancel a command, or a group command with all of its commands.",
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
      if (GroupView.isGroup(command)) {
        print(id + " is being cancelled: " + GroupView.counts(command));
        return;
      }
      print(
          id
              + " "
              + CommandView.state(command)
              + (CommandView.ended(command) ? "" : ": the device is asked to cancel it"));
    }
  }
}
