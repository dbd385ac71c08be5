package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A command as it stands.
 *
 * @param id 26 characters of Crockford's base 32; sorts by acceptance
 * @param bodyBytes length of the body; 0 = none
 * @param acceptedAt when it was durable, whole milliseconds
 * @param deadline until when the device may start it, whole milliseconds
 * @param reason why it ended as it did
 * @param result what the device reported, by name
 * @param resultBodyBytes length of the result's body; 0 = none
 * @param timeline in order of time
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
    List<TimelineEntry> timeline) {

  public Command {
    args = Map.copyOf(args);
    result = Map.copyOf(result);
    timeline = List.copyOf(timeline);
  }
}
