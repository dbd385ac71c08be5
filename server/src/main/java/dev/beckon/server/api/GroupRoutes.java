package dev.beckon.server.api;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Group;
import dev.beckon.server.command.GroupSubmission;
import dev.beckon.server.command.Groups;
import dev.beckon.server.command.NewGroup;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The group commands. They are shown and cancelled at the same path as single ones, {@link
 * CommandRoutes}, which asks here.
 */
final class GroupRoutes {

  /** Stands for every device of a group while the request is read. */
  private static final DeviceId EACH = new DeviceId("each");

  private final Optional<Groups> groups;
  private final Watchers watchers;
  private final CommandReader reader;

  /**
   * @param groups empty where no labels are
   */
  GroupRoutes(Optional<Groups> groups, Watchers watchers, InstantSource clock) {
    this.groups = groups;
    this.watchers = watchers;
    this.reader = new CommandReader(clock);
  }

  void addTo(RoutesConfig routes) {
    routes.post("/v1/commands", this::submit);
  }

  private void submit(Context ctx) {
    Requests.allowQuery(ctx, "wait");
    Duration wait = Requests.wait(ctx);
    CommandReader.Read read = reader.read(ctx, EACH, "labels");
    SortedSet<String> labels = Requests.chosenLabels(Requests.texts(read.json(), "labels"));
    Groups here =
        groups.orElseThrow(
            () ->
                new Problem(
                    ErrorCode.ROLE_MISSING,
                    "server: no labels here (expected the rendezvous server with the role"
                        + " delivery, which keeps the labels of devices)"));
    NewGroup wanted =
        new NewGroup(new TreeSet<>(labels), read.command(), read.deadlineIsDuration());
    switch (Requests.await(here.submit(wanted))) {
      case GroupSubmission.Accepted accepted -> answer(ctx, 201, accepted.group(), wait);
      case GroupSubmission.Repeated repeated -> answer(ctx, 200, repeated.group(), wait);
      case GroupSubmission.Conflict conflict -> throw CommandRoutes.keyReused(conflict.id());
      case GroupSubmission.Empty empty ->
          throw new Problem(
              ErrorCode.GROUP_EMPTY,
              "labels: "
                  + String.join(",", labels)
                  + " (expected labels that some enrolled device has"
                  + (labels.size() > 1 ? " all of)" : ")"));
      case GroupSubmission.Refused refused ->
          throw new Problem(ErrorCode.of(refused.code()), refused.detail());
    }
  }

  private void answer(Context ctx, int status, Group group, Duration wait) {
    Group latest =
        watchers.ended(
            group, wait, Group::id, each -> each.endedAt() != null, id -> find(id).orElse(null));
    ctx.status(status);
    ctx.header("Location", "/v1/commands/" + latest.id());
    ApiServer.send(ctx, Json.group(latest));
  }

  private Optional<Group> find(String id) {
    return groups.flatMap(here -> here.find(id));
  }

  /** The newest first; none where no labels are. */
  List<Group> newest(@Nullable String before, int limit) {
    return groups.map(here -> here.newest(before, limit)).orElse(List.of());
  }

  /** Answers with the group; false if there is none of this ID. */
  boolean show(Context ctx, String id, Duration wait, boolean reveals) {
    Group group = find(id).orElse(null);
    if (group == null) {
      return false;
    }
    Group latest =
        watchers.ended(
            group,
            wait,
            Group::id,
            each -> each.endedAt() != null,
            same -> find(same).orElse(null));
    Group shown = reveals ? groups.orElseThrow().reveal(id).orElse(latest) : latest;
    ApiServer.send(ctx, Json.group(shown));
    return true;
  }

  /** Cancels the group; false if there is none of this ID. */
  boolean cancel(Context ctx, String id) {
    Group before = find(id).orElse(null);
    if (before == null) {
      return false;
    }
    if (before.endedAt() != null) {
      throw CommandRoutes.ended(id, "has ended");
    }
    ctx.status(202);
    ApiServer.send(ctx, Json.group(Requests.await(groups.orElseThrow().cancel(id)).orElse(before)));
    return true;
  }
}
