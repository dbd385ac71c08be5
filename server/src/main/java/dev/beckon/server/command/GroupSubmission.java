package dev.beckon.server.command;

/** What became of a {@link NewGroup}. */
public sealed interface GroupSubmission {

  /** Durable from now on; its commands are being added. */
  record Accepted(Group group) implements GroupSubmission {}

  /** The idempotency key was used before for the same content: this is the first one. */
  record Repeated(Group group) implements GroupSubmission {}

  /**
   * The idempotency key was used before for other content.
   *
   * @param id of the command or group command that used it
   */
  record Conflict(String id) implements GroupSubmission {}

  /** No enrolled device has all the labels. */
  record Empty() implements GroupSubmission {}

  /** As {@link Submission.Refused}. */
  record Refused(String code, String detail) implements GroupSubmission {}
}
