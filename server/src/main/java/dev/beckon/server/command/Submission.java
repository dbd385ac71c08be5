package dev.beckon.server.command;

/** What became of a {@link NewCommand}. */
public sealed interface Submission {

  /** Durable from now on. */
  record Accepted(Command command) implements Submission {}

  /** The idempotency key was used before for the same content: this is the first command. */
  record Repeated(Command command) implements Submission {}

  /**
   * The idempotency key was used before for other content.
   *
   * @param id of the command or group command that used it
   */
  record Conflict(String id) implements Submission {}

  record DeviceUnknown() implements Submission {}

  /**
   * The command cannot be right.
   *
   * @param code {@code action-unknown}, {@code argument-unknown}, {@code argument-missing}, {@code
   *     argument-invalid}, {@code arguments-too-large}, {@code body-not-accepted}, {@code
   *     body-too-large}, {@code deadline-passed}, {@code deadline-too-far}, {@code
   *     idempotency-key-invalid}, {@code device-revoked} or {@code too-many-commands}
   * @param detail for people: {@code name: value (expected …)}
   */
  record Refused(String code, String detail) implements Submission {}
}
