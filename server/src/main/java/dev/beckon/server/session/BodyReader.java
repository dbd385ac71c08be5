package dev.beckon.server.session;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bodies of one session's commands piece by piece. Used by reader threads, one call at a
 * time or not; a lock keeps {@link #close} from cutting a read.
 */
final class BodyReader {

  private final SessionStore store;
  private String commandId = "";
  private @Nullable InputStream stream;
  private boolean closed;

  BodyReader(SessionStore store) {
    this.store = store;
  }

  synchronized byte[] read(Effect.ReadBody wanted) throws IOException {
    if (closed) {
      return new byte[0];
    }
    InputStream body = stream;
    // Bodies go one after the other and from their start; another command means another stream.
    if (body == null || !commandId.equals(wanted.commandId())) {
      if (body != null) {
        body.close();
      }
      body = store.body(wanted.commandId());
      stream = body;
      commandId = wanted.commandId();
      body.skipNBytes(wanted.offset());
    }
    byte[] content = body.readNBytes(wanted.length());
    if (content.length < wanted.length()) {
      throw new EOFException("body of command " + commandId + ": shorter than announced");
    }
    return content;
  }

  synchronized void close() {
    closed = true;
    if (stream != null) {
      try {
        stream.close();
      } catch (IOException unread) {
        // Nothing was written; there is nothing to lose.
      }
      stream = null;
    }
  }
}
