package dev.beckon.server.command;

/** What became of a wish to cancel. */
public sealed interface Cancelling {

  /** It will never run. */
  record Cancelled(Command command) implements Cancelling {}

  /** The device may have it; it was asked, and its report will tell. */
  record Asked(Command command) implements Cancelling {}

  record AlreadyEnded(Command command) implements Cancelling {}

  record CommandUnknown() implements Cancelling {}
}
