package dev.beckon.server.session;

import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Update;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Result bodies that are arriving in one session, chunk by chunk. Not thread-safe. */
final class IncomingBodies {

  /** More than the commands in flight are never needed at the same time. */
  static final int MAX_AT_ONCE = 16;

  /** What came of a frame: refused with a text, complete, or more to come (both null). */
  record Step(@Nullable String refusal, @Nullable Complete complete) {
    private static final Step MORE = new Step(null, null);

    private static Step refused(String text) {
      return new Step(text, null);
    }
  }

  /** An update whose body is whole. */
  record Complete(Update update, byte[] body) {}

  private static final class Partial {
    final Update update;
    final int length;
    byte[] content = new byte[0];
    int filled;

    Partial(Update update, int length) {
      this.update = update;
      this.length = length;
    }
  }

  private final long maxBodyBytes;
  private final Map<String, Partial> partials = new HashMap<>();
  private long heldBytes;

  IncomingBodies(long maxBodyBytes) {
    this.maxBodyBytes = maxBodyBytes;
  }

  boolean isEmpty() {
    return partials.isEmpty();
  }

  /** Bytes held for bodies that are not complete. */
  long heldBytes() {
    return heldBytes;
  }

  void clear() {
    partials.clear();
    heldBytes = 0;
  }

  /** An update announced its body. */
  Step begin(Update update) {
    // A negative number is one from 2^63 up on the wire.
    if (update.getBodyBytes() < 0 || update.getBodyBytes() > maxBodyBytes) {
      return Step.refused(
          "body_bytes: "
              + Long.toUnsignedString(update.getBodyBytes())
              + " (expected at most "
              + maxBodyBytes
              + ")");
    }
    if (partials.size() >= MAX_AT_ONCE) {
      return Step.refused("bodies at once: too many (expected at most " + MAX_AT_ONCE + ")");
    }
    Partial body = new Partial(update, (int) update.getBodyBytes());
    if (partials.putIfAbsent(update.getCommandId(), body) != null) {
      return Step.refused("body: begun again before its end");
    }
    return Step.MORE;
  }

  Step chunk(BodyChunk chunk) {
    Partial body = partials.get(chunk.getCommandId());
    int size = chunk.getContent().size();
    if (body == null) {
      return Step.refused("body chunk: of no update (expected after an Update with has_body)");
    }
    if (size > SessionConfig.MAX_CHUNK_BYTES) {
      return Step.refused(
          "body chunk: "
              + size
              + " bytes (expected at most "
              + SessionConfig.MAX_CHUNK_BYTES
              + ")");
    }
    if (chunk.getOffset() != body.filled) {
      return Step.refused(
          "body chunk: offset "
              + Long.toUnsignedString(chunk.getOffset())
              + " (expected "
              + body.filled
              + ")");
    }
    if (size > body.length - body.filled) {
      return Step.refused("body: longer than body_bytes (expected " + body.length + ")");
    }
    if (chunk.getLast() != (body.filled + size == body.length)) {
      return Step.refused("body: last chunk not at its end (expected at " + body.length + ")");
    }
    grow(body, body.filled + size);
    chunk.getContent().copyTo(body.content, body.filled);
    body.filled += size;
    if (!chunk.getLast()) {
      return Step.MORE;
    }
    partials.remove(chunk.getCommandId());
    heldBytes -= body.content.length;
    return new Step(null, new Complete(body.update, body.content));
  }

  /** Grows with what arrived, not with what was announced: announcing costs the sender nothing. */
  private void grow(Partial body, int needed) {
    if (needed > body.content.length) {
      int size = (int) Math.min(body.length, Math.max(needed, 2L * body.content.length));
      heldBytes += size - body.content.length;
      body.content = Arrays.copyOf(body.content, size);
    }
  }
}
