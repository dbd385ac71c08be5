package dev.beckon.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** One run of the command line inside the test's process, with what it printed. */
record CommandRun(int exitCode, String out, String err) {

  /** Where a run takes place: a home folder, an environment, standard input. */
  static final class Place {

    private final Path home;
    private final Map<String, String> environment = new HashMap<>();
    private String input = "";
    private boolean terminals;

    Place(Path home) {
      this.home = home;
    }

    Place with(String variable, String value) {
      environment.put(variable, value);
      return this;
    }

    Place typing(String text) {
      input = text;
      return this;
    }

    Place atTerminal() {
      terminals = true;
      return this;
    }

    CommandRun run(String... args) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      Surroundings surroundings =
          new Surroundings(
              new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
              new PrintStream(out, true, StandardCharsets.UTF_8),
              new PrintStream(err, true, StandardCharsets.UTF_8),
              terminals,
              terminals,
              environment,
              home);
      int exitCode = Main.run(surroundings, args);
      return new CommandRun(
          exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
  }
}
