package dev.beckon.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Cancelling;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandQuery;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.Group;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import dev.beckon.server.command.Submitter;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.InputStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The commands: sending, listing, showing, cancelling, their result's body. */
final class CommandRoutes {

  private final Commands commands;
  private final Submitter submitter;
  private final Watchers watchers;
  private final GroupRoutes groups;
  private final CommandReader reader;

  /**
   * @param groups shows and cancels the group commands
   */
  CommandRoutes(
      Commands commands,
      Submitter submitter,
      GroupRoutes groups,
      Watchers watchers,
      InstantSource clock) {
    this.commands = commands;
    this.submitter = submitter;
    this.groups = groups;
    this.watchers = watchers;
    this.reader = new CommandReader(clock);
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
    NewCommand wanted = reader.read(ctx, deviceId).command();
    switch (Requests.await(submitter.submit(wanted))) {
      case Submission.Accepted accepted -> answer(ctx, 201, accepted.command(), wait);
      case Submission.Repeated repeated -> answer(ctx, 200, repeated.command(), wait);
      case Submission.Conflict conflict -> throw keyReused(conflict.id());
      case Submission.DeviceUnknown unknown -> throw deviceUnknown(deviceId);
      case Submission.Refused refused ->
          throw new Problem(ErrorCode.of(refused.code()), refused.detail());
    }
  }

  static Problem keyReused(String by) {
    return new Problem(
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
        "Idempotency-Key: used by command "
            + by
            + " with other content (expected a new key for a new command)");
  }

  static Problem ended(String id, String how) {
    return new Problem(
        ErrorCode.COMMAND_ENDED,
        "command: " + id + " " + how + " (expected one that has not ended)");
  }

  static Problem deviceUnknown(DeviceId id) {
    return new Problem(
        ErrorCode.DEVICE_UNKNOWN, "device: " + id + " (expected a device that was added)");
  }

  // ---- answers

  private void answer(Context ctx, int status, Command command, Duration wait) {
    Command latest = ended(command, wait);
    ctx.status(status);
    ctx.header("Location", "/v1/commands/" + latest.id());
    ApiServer.send(ctx, Json.command(latest));
  }

  private Command ended(Command command, Duration wait) {
    return watchers.ended(
        command,
        wait,
        Command::id,
        each -> each.state().ended(),
        id -> commands.find(id).orElse(null));
  }

  private void show(Context ctx) {
    Requests.allowQuery(ctx, "wait", "secrets");
    Duration wait = Requests.wait(ctx);
    boolean reveals = reveals(ctx);
    String id = ctx.pathParam("id");
    Command found = commands.find(id).orElse(null);
    if (found == null) {
      if (!groups.show(ctx, id, wait, reveals)) {
        throw unknown(id);
      }
      return;
    }
    Command shown = ended(found, wait);
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
    Requests.allowQuery(ctx, "device", "state", "group", "after", "limit");
    int limit = Requests.limit(ctx);
    String device = ctx.queryParam("device");
    CommandState state = state(ctx.queryParam("state"));
    String group = ctx.queryParam("group");
    String after = ctx.queryParam("after");
    // Newest first; the cursor is the last ID of the page before.
    List<Command> found =
        commands.list(
            new CommandQuery(
                device == null ? null : Requests.deviceId(device),
                state,
                group,
                after,
                null,
                limit + 1));
    boolean all = device == null && state == null && group == null;
    List<Group> foundGroups = all ? groups.newest(after, limit + 1) : List.of();
    // Both kinds share the page, as they share the series of IDs.
    List<String> ids =
        Stream.concat(found.stream().map(Command::id), foundGroups.stream().map(Group::id))
            .sorted(Comparator.reverseOrder())
            .toList();
    String last = ids.size() > limit ? ids.get(limit - 1) : "";
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode items = json.putArray("commands");
    found.stream()
        .filter(each -> each.id().compareTo(last) >= 0)
        .map(Json::command)
        .forEach(items::add);
    ArrayNode groupItems = json.putArray("groups");
    foundGroups.stream()
        .filter(each -> each.id().compareTo(last) >= 0)
        .map(Json::group)
        .forEach(groupItems::add);
    if (!last.isEmpty()) {
      json.put("next", last);
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
      case Cancelling.AlreadyEnded ended -> throw ended(id, "is " + ended.command().state());
      case Cancelling.CommandUnknown unknown -> {
        if (!groups.cancel(ctx, id)) {
          throw unknown(id);
        }
      }
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
