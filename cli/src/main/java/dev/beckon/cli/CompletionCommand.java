package dev.beckon.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;

/** Prints a script that teaches a shell the command's words. */
@Command(
    name = "completion",
    description = "Print a completion script for bash and zsh: source <(beckon completion)")
final class CompletionCommand implements Runnable {

  private final Surroundings surroundings;

  CompletionCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public void run() {
    surroundings.out().print(AutoComplete.bash("beckon", Main.commandLine(surroundings)));
  }
}
