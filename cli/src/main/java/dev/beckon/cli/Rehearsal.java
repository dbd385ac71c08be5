package dev.beckon.cli;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * Runs the commands that people wait for once, with nobody listening. The build does this to learn
 * which classes the JVM should keep ready for a quick start.
 */
final class Rehearsal {

  private Rehearsal() {}

  /**
   * Rehearses.
   *
   * @param args an address where no server answers
   */
  public static void main(String[] args) {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
    Surroundings surroundings =
        new Surroundings(
            InputStream.nullInputStream(),
            nowhere,
            nowhere,
            true,
            true,
            Map.of("BECKON_SERVER", args[0], "BECKON_TOKEN", "none"),
            Path.of(""));
    Main.run(surroundings, "--help");
    Main.run(surroundings, "device", "list");
    Main.run(surroundings, "send", "kitchen", "echo", "text=hello", "--wait");
    Main.run(surroundings, "command", "show", "none");
  }
}
