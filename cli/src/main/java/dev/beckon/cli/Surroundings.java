package dev.beckon.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a command sees of the process around it, so that a test can give it other surroundings.
 *
 * @param out what a program reads: results
 * @param err what a person reads: progress, hints, errors
 * @param outIsTerminal whether a person watches {@code out}
 * @param errIsTerminal whether a person watches {@code err}
 */
record Surroundings(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean outIsTerminal,
    boolean errIsTerminal,
    Map<String, String> environment,
    Path home) {

  /**
   * The launcher's word on which streams are terminals, for example {@code out,err}. The JDK can
   * only tell for standard input and output together.
   */
  private static final String TERMINALS = "beckon.terminals";

  static Surroundings ofProcess() {
    String terminals = System.getProperty(TERMINALS, "");
    return new Surroundings(
        System.in,
        utf8(FileDescriptor.out),
        utf8(FileDescriptor.err),
        terminals.contains("out"),
        terminals.contains("err"),
        System.getenv(),
        Path.of(System.getProperty("user.home", "")));
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }

  /** Where {@code serve} keeps its files unless told otherwise. */
  Path serverFolder() {
    return home.resolve(".local").resolve("share").resolve("beckon").resolve("server");
  }

  boolean colours(boolean isTerminal) {
    return isTerminal
        && environment.getOrDefault("NO_COLOR", "").isEmpty()
        && !"dumb".equals(environment.get("TERM"));
  }
}
