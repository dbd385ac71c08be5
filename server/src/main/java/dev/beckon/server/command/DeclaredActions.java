package dev.beckon.server.command;

/** Whether a command fits what its device declared. */
final class DeclaredActions {
  private DeclaredActions() {}
}
