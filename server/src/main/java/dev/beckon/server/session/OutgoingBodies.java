package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Bodies of the commands handed over in one session, sent one after the other in chunks. At most
 * one piece is read ahead, and only while the connection takes more. Not thread-safe.
 */
final class OutgoingBodies {

  /** How much is read at once: enough to keep a connection busy, little enough to hold. */
  static final int READ_AHEAD_BYTES = 4 * SessionConfig.MAX_CHUNK_BYTES;

  private static final class Rest {
    final String commandId;
    final long length;
    long offset;

    Rest(String commandId, long length) {
      this.commandId = commandId;
      this.length = length;
    }
  }

  private final Deque<Rest> rests = new ArrayDeque<>();
  private boolean beingRead;
  private boolean writable = true;

  boolean isEmpty() {
    return rests.isEmpty();
  }

  void add(Command command) {
    rests.add(new Rest(command.getCommandId(), command.getBodyBytes()));
  }

  /** The command ended before its body was through. */
  void drop(String commandId) {
    rests.removeIf(rest -> rest.commandId.equals(commandId));
  }

  void clear() {
    rests.clear();
  }

  void writable(boolean now) {
    writable = now;
  }

  /** The next piece to read, or null if there is none, or not yet. */
  Effect.@Nullable ReadBody next() {
    Rest rest = rests.peek();
    if (rest == null || beingRead || !writable) {
      return null;
    }
    beingRead = true;
    int length = (int) Math.min(READ_AHEAD_BYTES, rest.length - rest.offset);
    return new Effect.ReadBody(rest.commandId, rest.offset, length);
  }

  /** The piece was read: the frames that carry it. */
  List<Frame> read(String commandId, byte[] content) {
    beingRead = false;
    Rest rest = rests.peek();
    // The command may have ended meanwhile; then another body is first, or none.
    if (rest == null || !rest.commandId.equals(commandId)) {
      return List.of();
    }
    List<Frame> frames = new ArrayList<>();
    int from = 0;
    while (from < content.length) {
      int size = Math.min(SessionConfig.MAX_CHUNK_BYTES, content.length - from);
      boolean last = rest.offset + size == rest.length;
      frames.add(
          Frames.bodyChunk(commandId, rest.offset, ByteString.copyFrom(content, from, size), last));
      rest.offset += size;
      from += size;
      if (last) {
        rests.remove();
      }
    }
    return frames;
  }
}
