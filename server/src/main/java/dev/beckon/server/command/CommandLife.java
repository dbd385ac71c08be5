package dev.beckon.server.command;

/** The rules of a command's states. */
final class CommandLife {
  private CommandLife() {}
}
