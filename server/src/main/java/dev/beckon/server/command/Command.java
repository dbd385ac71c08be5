package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A command as it stands.
 *
 * @param id 26 characters of Crockford's base 32; sorts by acceptance
 * @param args the values of secret ones read {@code (secret)}, except where its source says that
 *     they are revealed
 * @param bodyBytes length of the body; 0 = none
 * @param acceptedAt when it was durable, whole milliseconds
 * @param deadline until when the device may start it, whole milliseconds
 * @param reason why it ended as it did
 * @param result what the device reported, by name
 * @param resultBodyBytes length of the result's body; 0 = none
 * @param timeline in order of time
 * @param secrecy which parts are secret
 * @param groupId the group command that it is part of; null if it is a single one
 */
public record Command(
    String id,
    DeviceId deviceId,
    String action,
    Map<String, String> args,
    long bodyBytes,
    CommandState state,
    Instant acceptedAt,
    Instant deadline,
    @Nullable String reason,
    Map<String, String> result,
    long resultBodyBytes,
    List<TimelineEntry> timeline,
    Secrecy secrecy,
    @Nullable String groupId) {

  public Command {
    args = Map.copyOf(args);
    result = Map.copyOf(result);
    timeline = List.copyOf(timeline);
  }

  Command with(List<TimelineEntry> newTimeline) {
    return with(args, newTimeline);
  }

  /** The command with its secret values; the caller sees to it that they are not shown. */
  Command revealing(Map<String, String> secrets) {
    Map<String, String> values = new HashMap<>(args);
    values.replaceAll((name, value) -> secrets.getOrDefault(name, value));
    return with(values, timeline);
  }

  /** The command in that state, with more in its timeline, in whole milliseconds as it is kept. */
  Command after(CommandState newState, @Nullable String newReason, List<TimelineEntry> added) {
    List<TimelineEntry> newTimeline = new ArrayList<>(timeline);
    for (TimelineEntry entry : added) {
      newTimeline.add(
          new TimelineEntry(
              entry.at().truncatedTo(ChronoUnit.MILLIS), entry.event(), entry.details()));
    }
    return new Command(
        id,
        deviceId,
        action,
        args,
        bodyBytes,
        newState,
        acceptedAt,
        deadline,
        newReason,
        result,
        resultBodyBytes,
        newTimeline,
        secrecy,
        groupId);
  }

  private Command with(Map<String, String> newArgs, List<TimelineEntry> newTimeline) {
    return new Command(
        id,
        deviceId,
        action,
        newArgs,
        bodyBytes,
        state,
        acceptedAt,
        deadline,
        reason,
        result,
        resultBodyBytes,
        newTimeline,
        secrecy,
        groupId);
  }

  /** One of a group, with what stands in the group for all of them. */
  Command with(Group group) {
    return new Command(
        id,
        deviceId,
        action,
        group.args(),
        bodyBytes,
        state,
        acceptedAt,
        deadline,
        reason,
        result,
        resultBodyBytes,
        timeline,
        new Secrecy(
            group.secrecy().args(),
            group.secrecy().body(),
            group.secrecy().body() || secrecy.resultBody()),
        groupId);
  }

  /** Without arguments: their values may be revealed ones. */
  @Override
  public String toString() {
    return "command " + id + " to " + deviceId + ": " + action + " " + state;
  }
}
