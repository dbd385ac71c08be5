package dev.beckon.device.session;

import dev.beckon.device.command.CommandKey;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Command;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The bodies of commands that are on their way in one session.
 *
 * <p>Not thread-safe.
 */
final class IncomingBodies {
  private static final class Body {
    final Command command;
    boolean wanted; // if not, it is read, because it comes, but not kept
    long nextOffset;

    Body(Command command, boolean wanted) {
      this.command = command;
      this.wanted = wanted;
    }
  }

  /**
   * What became of a chunk.
   *
   * @param command whose body it belongs to
   * @param unstorable the body cannot be stored; from now on it is read only
   * @param whole it was the last one of a body that is kept
   */
  record Arrival(Command command, boolean unstorable, boolean whole) {}

  private final int server;
  private final SessionLogic.Bodies storage;
  private final Map<String, Body> bodies = new HashMap<>();

  IncomingBodies(int server, SessionLogic.Bodies storage) {
    this.server = server;
    this.storage = storage;
  }

  boolean isEmpty() {
    return bodies.isEmpty();
  }

  int size() {
    return bodies.size();
  }

  /** Whose bodies are kept in part. */
  List<CommandKey> unfinished() {
    return bodies.entrySet().stream()
        .filter(entry -> entry.getValue().wanted)
        .map(entry -> new CommandKey(server, entry.getKey()))
        .toList();
  }

  /** The command's body follows. */
  void begin(Command command, boolean wanted) {
    bodies.put(command.getCommandId(), new Body(command, wanted));
  }

  /** The rest of the body, if one is on its way, is of no use any more. */
  void drop(String commandId) {
    Body body = bodies.get(commandId);
    if (body != null) {
      body.wanted = false;
    }
  }

  /**
   * Stores a chunk.
   *
   * @return null if it is of no command, or out of place
   */
  @Nullable Arrival onChunk(BodyChunk chunk) {
    Body body = bodies.get(chunk.getCommandId());
    if (body == null) {
      return null;
    }
    long end = chunk.getOffset() + chunk.getContent().size();
    if (chunk.getOffset() != body.nextOffset
        || end > body.command.getBodyBytes()
        || chunk.getLast() != (end == body.command.getBodyBytes())) {
      return null;
    }
    body.nextOffset = end;
    boolean unstorable = false;
    if (body.wanted) {
      try {
        CommandKey key = new CommandKey(server, chunk.getCommandId());
        storage.append(key, chunk.getOffset(), chunk.getContent());
      } catch (IOException e) {
        body.wanted = false;
        unstorable = true;
      }
    }
    if (chunk.getLast()) {
      bodies.remove(chunk.getCommandId());
    }
    return new Arrival(body.command, unstorable, chunk.getLast() && body.wanted);
  }
}
