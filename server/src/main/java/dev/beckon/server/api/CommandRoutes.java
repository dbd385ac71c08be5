package dev.beckon.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Cancelling;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandQuery;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import dev.beckon.server.command.Submitter;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.UploadedFile;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The commands: sending, listing, showing, cancelling, their result's body. */
final class CommandRoutes {

  private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(60);

  private final Commands commands;
  private final Submitter submitter;
  private final Watchers watchers;
  private final InstantSource clock;

  CommandRoutes(Commands commands, Submitter submitter, Watchers watchers, InstantSource clock) {
    this.commands = commands;
    this.submitter = submitter;
    this.watchers = watchers;
    this.clock = clock;
  }

  void addTo(RoutesConfig routes) {
    routes.post("/v1/devices/{id}/commands", this::submit);
    routes.get("/v1/commands", this::list);
    routes.get("/v1/commands/{id}", this::show);
    routes.delete("/v1/commands/{id}", this::cancel);
    routes.get("/v1/commands/{id}/body", this::resultBody);
  }

  // ---- sending

  private void submit(Context ctx) {
    Requests.allowQuery(ctx, "wait");
    DeviceId deviceId = Requests.deviceId(ctx.pathParam("id"));
    Duration wait = Requests.wait(ctx);
    NewCommand wanted = read(ctx, deviceId);
    switch (Requests.await(submitter.submit(wanted))) {
      case Submission.Accepted accepted -> answer(ctx, 201, accepted.command(), wait);
      case Submission.Repeated repeated -> answer(ctx, 200, repeated.command(), wait);
      case Submission.Conflict conflict ->
          throw new Problem(
              ErrorCode.IDEMPOTENCY_KEY_REUSED,
              "Idempotency-Key: used by command "
                  + conflict.command().id()
                  + " with other content (expected a new key for a new command)");
      case Submission.DeviceUnknown unknown -> throw deviceUnknown(deviceId);
      case Submission.Refused refused ->
          throw new Problem(ErrorCode.of(refused.code()), refused.detail());
    }
  }

  static Problem deviceUnknown(DeviceId id) {
    return new Problem(
        ErrorCode.DEVICE_UNKNOWN, "device: " + id + " (expected a device that was added)");
  }

  private NewCommand read(Context ctx, DeviceId deviceId) {
    ObjectNode json;
    byte[] body = null;
    if (ctx.isMultipartFormData()) {
      Parts parts = parts(ctx);
      json = Requests.json("command", parts.command());
      body = parts.body();
    } else if (Requests.isJson(ctx.contentType())) {
      json = Requests.json(ctx);
    } else {
      throw Requests.contentType(ctx, "application/json or multipart/form-data");
    }
    Requests.allowKeys(json, "action", "args", "deadline", "secret", "secretBody");
    String action =
        Requests.text(json, "action")
            .orElseThrow(
                () ->
                    new Problem(
                        ErrorCode.REQUEST_MALFORMED,
                        "action: missing (expected the name of an action)"));
    Instant now = clock.instant();
    Instant deadline =
        Requests.text(json, "deadline")
            .map(text -> TimeText.deadline(text, now))
            .orElse(now.plus(DEFAULT_DEADLINE));
    Map<String, String> args = args(json);
    boolean secretBody = Requests.flag(json, "secretBody");
    if (secretBody && body == null) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          "secretBody: true (expected a body with it: multipart/form-data with the part body)");
    }
    return new NewCommand(
        deviceId,
        action,
        args,
        body,
        deadline,
        ctx.header("Idempotency-Key"),
        secret(json, args),
        secretBody);
  }

  /** The names of the secret arguments. */
  private static Set<String> secret(ObjectNode json, Map<String, String> args) {
    JsonNode node = json.get("secret");
    Set<String> names = new HashSet<>();
    if (node == null) {
      return names;
    }
    if (!node.isArray()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          "secret: not a list (expected the names of secret arguments, such as [\"pin\"])");
    }
    for (JsonNode each : node) {
      if (!each.isTextual() || !args.containsKey(each.textValue())) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            "secret: "
                + (each.isTextual() ? each.textValue() : Requests.shown(each))
                + (args.isEmpty()
                    ? " (expected none: the command has no arguments)"
                    : " (expected one of the arguments "
                        + String.join(", ", new TreeSet<>(args.keySet()))
                        + ")"));
      }
      names.add(each.textValue());
    }
    return names;
  }

  private static Map<String, String> args(ObjectNode json) {
    JsonNode node = json.get("args");
    Map<String, String> args = new HashMap<>();
    if (node == null) {
      return args;
    }
    if (!node.isObject()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          "args: " + Requests.shown(node) + " (expected an object of strings)");
    }
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isTextual()) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            "args."
                + entry.getKey()
                + ": a JSON "
                // Not the value: it may be meant to be a secret one.
                + entry.getValue().getNodeType().name().toLowerCase(Locale.ROOT)
                + " (expected a string; numbers and truth values too are written as strings)");
      }
      args.put(entry.getKey(), entry.getValue().textValue());
    }
    return args;
  }

  private record Parts(String command, byte @Nullable [] body) {}

  /** Part {@code command} is the JSON, part {@code body} goes to the action as it is. */
  private static Parts parts(Context ctx) {
    List<String> names;
    String command;
    UploadedFile body;
    try {
      command = ctx.formParam("command");
      UploadedFile commandFile = ctx.uploadedFile("command");
      if (command == null && commandFile != null) {
        command = new String(bytes(commandFile), java.nio.charset.StandardCharsets.UTF_8);
      }
      body = ctx.uploadedFile("body");
      names =
          java.util.stream.Stream.concat(
                  ctx.formParamMap().keySet().stream(), ctx.uploadedFileMap().keySet().stream())
              .distinct()
              .toList();
      for (String name : names) {
        if (!name.equals("command") && !name.equals("body")) {
          throw new Problem(
              ErrorCode.REQUEST_MALFORMED,
              "part: " + name + " (expected the parts command and body)");
        }
      }
      if (command == null) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED, "part command: missing (expected the command as JSON)");
      }
      byte[] content = null;
      if (body != null) {
        content = bytes(body);
      } else if (ctx.formParam("body") != null) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            "part body: without a filename (expected a file, such as body=@FILE with curl -F)");
      }
      if (content != null && content.length > Commands.MAX_BODY_BYTES) {
        throw bodyTooLarge();
      }
      return new Parts(command, content);
    } catch (Problem problem) {
      throw problem;
    } catch (Exception refused) { // Jetty's parser has a type for each mistake, checked ones too
      throw ApiServer.tooLarge(refused)
          ? bodyTooLarge()
          : new Problem(
              ErrorCode.REQUEST_MALFORMED,
              "multipart: cannot be read (expected the parts command and body)");
    }
  }

  private static Problem bodyTooLarge() {
    return new Problem(
        ErrorCode.BODY_TOO_LARGE,
        "body: too large (expected at most " + Commands.MAX_BODY_BYTES + " bytes)");
  }

  private static byte[] bytes(UploadedFile file) throws IOException {
    try (InputStream content = file.content()) {
      return content.readAllBytes();
    }
  }

  // ---- answers

  private void answer(Context ctx, int status, Command command, Duration wait) {
    Command latest = ended(command, wait);
    ctx.status(status);
    ctx.header("Location", "/v1/commands/" + latest.id());
    ApiServer.send(ctx, Json.command(latest));
  }

  /** The command once it has ended, or as it stands when the patience is over. */
  private Command ended(Command command, Duration wait) {
    if (wait.isZero() || command.state().ended()) {
      return command;
    }
    CompletableFuture<Void> end = watchers.end(command.id());
    try {
      // It may have ended before anybody watched.
      Command now = commands.find(command.id()).orElse(command);
      if (now.state().ended()) {
        return now;
      }
      end.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException patienceIsOver) {
      // Answered as it stands; the caller sees the state.
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException never) {
      throw new IllegalStateException(never);
    } finally {
      watchers.forget(command.id(), end);
    }
    return commands.find(command.id()).orElse(command);
  }

  private void show(Context ctx) {
    Requests.allowQuery(ctx, "wait", "secrets");
    Duration wait = Requests.wait(ctx);
    boolean reveals = reveals(ctx);
    Command shown = ended(find(ctx), wait);
    if (reveals) {
      shown = commands.reveal(shown.id()).orElse(shown);
    }
    ApiServer.send(ctx, Json.command(shown));
  }

  /** Whether the caller asks for secret values, and may. */
  private static boolean reveals(Context ctx) {
    String text = ctx.queryParam("secrets");
    if (text == null) {
      return false;
    }
    if (!text.equals("show")) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID, "secrets: " + text + " (expected show, or nothing)");
    }
    Access.require(ctx, Access.ADMIN, "secrets: show");
    return true;
  }

  private Command find(Context ctx) {
    String id = ctx.pathParam("id");
    return commands.find(id).orElseThrow(() -> unknown(id));
  }

  private static Problem unknown(String id) {
    String shown = id.length() <= 64 ? id : id.substring(0, 64) + "…";
    return new Problem(
        ErrorCode.COMMAND_UNKNOWN, "command: " + shown + " (expected the ID of a command)");
  }

  private void list(Context ctx) {
    Requests.allowQuery(ctx, "device", "state", "after", "limit");
    int limit = Requests.limit(ctx);
    String device = ctx.queryParam("device");
    // Newest first; the cursor is the last ID of the page before.
    List<Command> found =
        commands.list(
            new CommandQuery(
                device == null ? null : Requests.deviceId(device),
                state(ctx.queryParam("state")),
                ctx.queryParam("after"),
                null,
                limit + 1));
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode items = json.putArray("commands");
    found.stream().limit(limit).map(Json::command).forEach(items::add);
    if (found.size() > limit) {
      json.put("next", found.get(limit - 1).id());
    }
    ApiServer.send(ctx, json);
  }

  private static @Nullable CommandState state(@Nullable String text) {
    if (text == null) {
      return null;
    }
    for (CommandState state : CommandState.values()) {
      if (state.name().equals(text)) {
        return state;
      }
    }
    throw new Problem(
        ErrorCode.PARAMETER_INVALID,
        "state: " + text + " (expected one of " + Arrays.toString(CommandState.values()) + ")");
  }

  private void cancel(Context ctx) {
    Requests.allowQuery(ctx);
    String id = ctx.pathParam("id");
    switch (Requests.await(commands.cancel(id))) {
      case Cancelling.Cancelled cancelled -> ApiServer.send(ctx, Json.command(cancelled.command()));
      case Cancelling.Asked asked -> {
        ctx.status(202);
        ApiServer.send(ctx, Json.command(asked.command()));
      }
      case Cancelling.AlreadyEnded ended ->
          throw new Problem(
              ErrorCode.COMMAND_ENDED,
              "command: "
                  + id
                  + " is "
                  + ended.command().state()
                  + " (expected one that has not ended)");
      case Cancelling.CommandUnknown unknown -> throw unknown(id);
    }
  }

  private void resultBody(Context ctx) {
    Requests.allowQuery(ctx);
    Command command = find(ctx);
    if (command.secrecy().resultBody()) {
      Access.require(ctx, Access.ADMIN, "command: " + command.id() + " has a secret result body");
    }
    InputStream body =
        commands
            .resultBody(command.id())
            .orElseThrow(
                () ->
                    new Problem(
                        ErrorCode.BODY_UNKNOWN,
                        "command: "
                            + command.id()
                            + " has no result body (expected one with resultBodyBytes above 0)"));
    // From a device, so never to be shown as anything by a browser.
    ctx.header("Content-Disposition", "attachment; filename=\"" + command.id() + "\"");
    ctx.header("X-Content-Type-Options", "nosniff");
    ctx.contentType("application/octet-stream");
    ctx.result(body);
  }
}
