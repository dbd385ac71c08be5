package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.protocol.datagram.DeviceId;
import java.io.FileNotFoundException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sends a command to a device and, if asked, follows it to its end. */
@Command(
    name = "send",
    description = {
      "Send a command to a device, or to all devices that have some labels.",
      "Prints the command's ID; with --wait its result. It is on the server's disk by then."
    },
    footer = {
      "",
      "Examples:",
      "  beckon send kitchen echo text=hello --wait",
      "  beckon send kitchen display text=@notice.txt --deadline 5m",
      "  date | beckon send kitchen display text=- --wait",
      "  beckon send --group hall,north display text=hello --wait",
      "  beckon send door set pin=@pin.txt --secret pin     nobody sees the value but the device",
      "",
      "Of a file or standard input one line end at the very end is dropped. What is typed as",
      "KEY=VALUE can be seen in this host's list of processes; @FILE and - keep it out of there."
    },
    exitCodeList = {
      "0:accepted; with --wait: SUCCEEDED, all of a group",
      "1:refused; with --wait: FAILED, REJECTED, CANCELLED or UNKNOWN, one of a group",
      "2:wrong usage",
      "3:the server cannot be reached",
      "4:with --wait: EXPIRED, of a group one while all others succeeded"
    })
final class SendCommand extends ClientCommand implements Callable<Integer> {

  @Parameters(
      index = "0",
      paramLabel = "DEVICE",
      description = "The device's ID; left out with --group.")
  private String first = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "ACTION",
      description = "What it shall do; 'beckon device show ID' lists what it can.")
  private @Nullable String second;

  @Parameters(
      index = "2..*",
      paramLabel = "KEY=VALUE",
      description = "Arguments. @FILE is a file's text, - is standard input, @@… begins with an @.")
  private List<String> args = new ArrayList<>();

  @Option(
      names = "--group",
      paramLabel = "LABEL",
      split = ",",
      description =
          "To all enrolled devices that have this label; of several, separated by commas, all of"
              + " them.")
  private List<String> group = new ArrayList<>();

  @Option(
      names = "--body",
      paramLabel = "FILE",
      description = "A file of any kind that goes along.")
  private @Nullable Path body;

  @Option(
      names = "--secret",
      paramLabel = "KEY",
      description =
          "This argument's value is shown nowhere, and deleted once the command has ended;"
              + " repeatable.")
  private List<String> secret = new ArrayList<>();

  @Option(
      names = "--secret-body",
      description = "The body, and the body of the result, are secret too.")
  private boolean secretBody;

  @Option(
      names = "--deadline",
      paramLabel = "TIME",
      description = "Start within this time (30s, 5m, 1h) or by this instant (default: 60s).")
  private @Nullable String deadline;

  @Option(names = "--wait", description = "Follow the command until it has ended.")
  private boolean wait;

  @Option(names = "--quiet", description = "With --wait: no timeline on standard error.")
  private boolean quiet;

  @Option(
      names = "--save-body",
      paramLabel = "FILE",
      description = "With --wait: write the body of the result there (- is standard output).")
  private @Nullable String saveBody;

  SendCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  public Integer call() {
    if (saveBody != null && (!wait || !group.isEmpty())) {
      throw FailureException.usage(
          wait ? "--save-body: not with --group" : "--save-body: needs --wait", null);
    }
    ObjectNode request = Api.JSON.createObjectNode();
    String path = address(request);
    ObjectNode map = request.putObject("args");
    new Arguments(surroundings().in()).parse(args).forEach(map::put);
    addSecrets(request, map);
    if (deadline != null) {
      request.put("deadline", deadline);
    }

    Api api = api();
    JsonNode command = post(api, path, request);
    if (!wait) {
      if (json()) {
        print(command);
      } else {
        print(command.path("id").asText());
      }
      return ExitCode.DONE;
    }
    boolean timeline = !quiet && !json();
    Surroundings here = surroundings();
    if (!group.isEmpty()) {
      return followGroup(api, command, timeline);
    }
    CommandView view = new CommandView(here.err(), new Ink(here.colours(here.errIsTerminal())));
    JsonNode ended = new Waiting(api, view, timeline).follow(command);
    show(api, ended, view, timeline);
    return CommandView.exitCode(ended);
  }

  /** Puts the action, and the labels of a group, into the request; returns where it goes. */
  private String address(ObjectNode request) {
    String action = second;
    if (!group.isEmpty()) {
      // The words after the option begin with the action.
      action = first;
      if (second != null) {
        args.addFirst(second);
      }
      group.forEach(request.putArray("labels")::add);
      request.put("action", action);
      return "/v1/commands";
    }
    String device;
    try {
      device = new DeviceId(first).value();
    } catch (IllegalArgumentException e) {
      throw FailureException.usage(
          String.valueOf(e.getMessage()), "'beckon send --help' shows how it is used");
    }
    if (action == null) {
      throw FailureException.usage(
          "ACTION: missing (expected what the device shall do, behind its ID)", null);
    }
    request.put("action", action);
    return "/v1/devices/" + Api.escape(device) + "/commands";
  }

  private int followGroup(Api api, JsonNode accepted, boolean shows) {
    Surroundings here = surroundings();
    GroupView view =
        new GroupView(
            here.err(), new Ink(here.colours(here.errIsTerminal())), here.errIsTerminal());
    JsonNode ended = new GroupWaiting(api, view, shows).follow(accepted);
    if (json()) {
      print(ended);
    } else if (!shows || !here.outIsTerminal()) {
      print(GroupView.counts(ended));
    }
    return GroupView.exitCode(ended);
  }

  private void addSecrets(ObjectNode request, ObjectNode map) {
    if (!secret.isEmpty()) {
      ArrayNode names = request.putArray("secret");
      for (String name : secret) {
        if (!map.has(name)) {
          List<String> known = new ArrayList<>();
          map.fieldNames().forEachRemaining(known::add);
          throw FailureException.usage(
              "--secret: "
                  + name
                  + (known.isEmpty()
                      ? " (expected the name of an argument; there are none)"
                      : " (expected one of the arguments " + String.join(", ", known) + ")"),
              "'" + name + "=@FILE --secret " + name + "' gives a secret argument");
        }
        names.add(name);
      }
    }
    if (secretBody) {
      if (body == null) {
        throw FailureException.usage("--secret-body: needs --body", null);
      }
      request.put("secretBody", true);
    }
  }

  private JsonNode post(Api api, String path, ObjectNode request) {
    String key = UUID.randomUUID().toString();
    if (body == null) {
      return api.postOnce(
          path, key, "application/json", BodyPublishers.ofString(request.toString()));
    }
    if (!Files.isRegularFile(body) || !Files.isReadable(body)) {
      throw FailureException.usage("--body: " + body + " (expected a file that can be read)", null);
    }
    String boundary = "beckon-" + UUID.randomUUID();
    return api.postOnce(
        path, key, "multipart/form-data; boundary=" + boundary, parts(boundary, request, body));
  }

  private static BodyPublisher parts(String boundary, ObjectNode request, Path body) {
    String head =
        "--"
            + boundary
            + "\r\nContent-Disposition: form-data; name=\"command\"\r\n"
            + "Content-Type: application/json\r\n\r\n"
            + request
            + "\r\n--"
            + boundary
            + "\r\nContent-Disposition: form-data; name=\"body\"; filename=\"body\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n";
    try {
      return BodyPublishers.concat(
          BodyPublishers.ofString(head, StandardCharsets.UTF_8),
          BodyPublishers.ofFile(body),
          BodyPublishers.ofString("\r\n--" + boundary + "--\r\n"));
    } catch (FileNotFoundException e) {
      throw FailureException.usage("--body: " + body + " (no such file)", null);
    }
  }

  private void show(Api api, JsonNode command, CommandView view, boolean timeline) {
    if (saveBody != null) {
      ResultBody.save(api, command, saveBody, surroundings());
    }
    if (json()) {
      print(command);
      return;
    }
    if (timeline || CommandView.exitCode(command) != ExitCode.DONE) {
      view.showEnd(command);
    }
    for (Map.Entry<String, JsonNode> entry : command.path("result").properties()) {
      print(entry.getKey() + "=" + entry.getValue().asText());
    }
    long bodyBytes = command.path("resultBodyBytes").asLong();
    if (saveBody == null && bodyBytes > 0) {
      remark(
          "  the result has a body of "
              + bodyBytes
              + " bytes: beckon command show "
              + command.path("id").asText()
              + " --save-body FILE");
    }
  }

  /** Follows a command to its end. Asks often at first, since most end within a second. */
  private static final class Waiting {

    private static final Duration AT_FIRST = Duration.ofMillis(50);
    private static final Duration LATER = Duration.ofMillis(500);
    private static final int FIRST_ASKS = 100;

    /** Asks without an answer before the server counts as gone; it may only be restarting. */
    private static final int PATIENCE = 30;

    private final Api api;
    private final CommandView view;
    private final boolean timeline;

    Waiting(Api api, CommandView view, boolean timeline) {
      this.api = api;
      this.view = view;
      this.timeline = timeline;
    }

    JsonNode follow(JsonNode accepted) {
      String path = "/v1/commands/" + Api.escape(accepted.path("id").asText());
      JsonNode command = accepted;
      if (timeline) {
        view.showHead(command);
      }
      int missed = 0;
      for (int asks = 0; ; asks++) {
        if (timeline) {
          view.showNew(command);
        }
        if (CommandView.ended(command)) {
          return command;
        }
        if (timeline || missed > 0) {
          pause(asks < FIRST_ASKS && missed == 0 ? AT_FIRST : LATER);
        }
        try {
          // Without anything to show on the way the server answers when the command has ended.
          command = api.get(timeline ? path : path + "?wait=10s");
          missed = 0;
        } catch (FailureException e) {
          if (e.exitCode() != ExitCode.NOT_REACHABLE || ++missed > PATIENCE) {
            throw e;
          }
        }
      }
    }

    private static void pause(Duration length) {
      try {
        Thread.sleep(length);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw FailureException.failed("interrupted", null);
      }
    }
  }
}
