package dev.beckon.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry of the {@code beckon} command. */
@Command(
    name = "beckon",
    mixinStandardHelpOptions = true,
    description = "Reach any device behind any router.")
public final class Main implements Runnable {

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }
}
