package dev.beckon.device;

import dev.beckon.protocol.Redaction;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A command that the device shall carry out: checked, in the journal, and not run before.
 *
 * <p>Thread-safe.
 */
public final class Command {
  /** Receives progress reports. */
  @FunctionalInterface
  public interface Progress {
    /**
     * @param percent 0 to 100; 0 if that cannot be told
     */
    void report(int percent, String text);
  }

  private final int server;
  private final dev.beckon.protocol.session.Command message;
  private final @Nullable Path body;
  private final Progress progress;

  Command(
      int server,
      dev.beckon.protocol.session.Command message,
      @Nullable Path body,
      Progress progress) {
    this.server = server;
    this.message = message;
    this.body = body;
    this.progress = progress;
  }

  /**
   * A command that came from no server, for testing a handler.
   *
   * @param progress gets what the handler reports
   */
  public static Command of(String action, Map<String, String> arguments, Progress progress) {
    return new Command(
        0,
        dev.beckon.protocol.session.Command.newBuilder()
            .setCommandId("0".repeat(26))
            .setAction(action)
            .putAllArgs(arguments)
            .build(),
        null,
        progress);
  }

  /**
   * A command with a body that came from no server, for testing a handler.
   *
   * @param body the file that holds the body
   * @param progress gets what the handler reports
   */
  public static Command of(
      String action, Map<String, String> arguments, Path body, Progress progress)
      throws IOException {
    return new Command(
        0,
        dev.beckon.protocol.session.Command.newBuilder()
            .setCommandId("0".repeat(26))
            .setAction(action)
            .putAllArgs(arguments)
            .setHasBody(true)
            .setBodyBytes(Files.size(body))
            .build(),
        body,
        progress);
  }

  /** Number of the server that gave it: 0 for the rendezvous server, or an application server's. */
  public int serverNumber() {
    return server;
  }

  /** 26 characters; the same in that server's API. */
  public String id() {
    return message.getCommandId();
  }

  /** Name of the action. */
  public String action() {
    return message.getAction();
  }

  /** All arguments as text, secret ones too. */
  public Map<String, String> arguments() {
    return message.getArgsMap();
  }

  /**
   * Whether the argument's value must not be logged, shown or kept longer than needed. In results,
   * reasons and progress texts the library hides it by itself.
   */
  public boolean isSecret(String name) {
    return message.getSecretArgsList().contains(name);
  }

  /** Whether the body must not be logged, shown or kept longer than needed. */
  public boolean isBodySecret() {
    return message.getSecretBody();
  }

  /** Whether the command gives this argument. */
  public boolean has(String name) {
    return message.containsArgs(name);
  }

  /**
   * @throws IllegalArgumentException if the command does not give it
   */
  public String text(String name) {
    String value = message.getArgsMap().get(name);
    if (value == null) {
      throw new IllegalArgumentException(name + ": missing (expected a value)");
    }
    return value;
  }

  /**
   * @throws IllegalArgumentException if it is missing or no whole number of 64 bits
   */
  public long integer(String name) {
    try {
      return Long.parseLong(text(name));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          name + ": " + shown(name) + " (expected an integer)", isSecret(name) ? null : e);
    }
  }

  /**
   * @throws IllegalArgumentException if it is missing or no number
   */
  public double number(String name) {
    try {
      return Double.parseDouble(text(name));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          name + ": " + shown(name) + " (expected a number)", isSecret(name) ? null : e);
    }
  }

  /**
   * @throws IllegalArgumentException if it is missing or neither {@code true} nor {@code false}
   */
  public boolean flag(String name) {
    return switch (text(name)) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(
              name + ": " + shown(name) + " (expected true or false)");
    };
  }

  private String shown(String name) {
    return isSecret(name) ? Redaction.MARK : text(name);
  }

  /** Length of the body in bytes; 0 if there is none. */
  public long bodyBytes() {
    return message.getBodyBytes();
  }

  /** The body; empty if there is none. The caller closes it. */
  public InputStream body() throws IOException {
    return body == null ? InputStream.nullInputStream() : Files.newInputStream(body);
  }

  /** When it had to be started at the latest. */
  public Instant deadline() {
    return Instant.ofEpochMilli(message.getDeadlineMillis());
  }

  /**
   * Tells the server how far it is, if a session is open; returns at once.
   *
   * @param percent 0 to 100; 0 if that cannot be told
   * @param text for people
   */
  public void progress(int percent, String text) {
    progress.report(percent, text);
  }
}
