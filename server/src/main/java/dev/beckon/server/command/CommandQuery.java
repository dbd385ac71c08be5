package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import org.jspecify.annotations.Nullable;

/**
 * Which commands to list.
 *
 * @param before only those accepted before this command ID, the newest first (also the order
 *     without any cursor)
 * @param after only those accepted after this command ID, the oldest first; not with {@code before}
 * @param limit 1 to {@link #MAX_LIMIT}
 */
public record CommandQuery(
    @Nullable DeviceId deviceId,
    @Nullable CommandState state,
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
}
