package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import org.jspecify.annotations.Nullable;

/**
 * Which commands to list.
 *
 * @param groupId only those of this group command. Without a group, a device and a state these are
 *     the single commands: a group would bury them
 * @param before only those accepted before this command ID, the newest first (also the order
 *     without any cursor)
 * @param after only those accepted after this command ID, the oldest first; not with {@code before}
 * @param limit 1 to {@link #MAX_LIMIT}
 */
public record CommandQuery(
    @Nullable DeviceId deviceId,
    @Nullable CommandState state,
    @Nullable String groupId,
    @Nullable String before,
    @Nullable String after,
    int limit) {

  public static final int MAX_LIMIT = 1000;

  public CommandQuery {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: " + limit + " (expected 1 to " + MAX_LIMIT + ")");
    }
    if (before != null && after != null) {
      throw new IllegalArgumentException(
          "after: " + after + " (expected not together with before)");
    }
  }

  /** Commands of any group or none. */
  public CommandQuery(
      @Nullable DeviceId deviceId,
      @Nullable CommandState state,
      @Nullable String before,
      @Nullable String after,
      int limit) {
    this(deviceId, state, null, before, after, limit);
  }

  /** Whether the commands of groups are left out. */
  boolean singleOnly() {
    return deviceId == null && state == null && groupId == null;
  }
}
