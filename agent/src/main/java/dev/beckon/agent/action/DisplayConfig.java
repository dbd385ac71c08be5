package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.YamlMap;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code display}: where a text may be shown.
 *
 * @param terminal as a line on the agent's standard output
 * @param file null if none is allowed
 * @param notification null if none is allowed
 */
public record DisplayConfig(
    boolean terminal, @Nullable TextFile file, @Nullable Notification notification) {

  /** Without a configuration a text is shown on the terminal. */
  static final DisplayConfig DEFAULT = new DisplayConfig(true, null, null);

  static final String TERMINAL = "terminal";
  static final String FILE = "file";
  static final String NOTIFICATION = "notification";

  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(10);

  /**
   * A file that shows the text.
   *
   * @param append whether texts are added as lines; else each replaces the one before
   */
  public record TextFile(Path path, boolean append) {}

  /**
   * A notification on the desktop of whoever is logged in.
   *
   * @param program that is given the title and the text as its last arguments
   * @param bus address of the session's D-Bus; null to take it from the agent's environment
   */
  public record Notification(Program program, @Nullable String bus) {}

  static DisplayConfig read(YamlMap display) throws ConfigException {
    display.onlyWith(TERMINAL, FILE, NOTIFICATION);
    TextFile file = null;
    if (display.has(FILE)) {
      YamlMap map = display.map(FILE).onlyWith("path", "append");
      Path path = Path.of(map.required("path", "the path of a file"));
      if (path.getFileName() == null || path.toAbsolutePath().getParent() == null) {
        throw map.bad("path", path + " (expected the path of a file)");
      }
      file = new TextFile(path, map.flag("append", false));
    }
    Notification notification = null;
    if (display.has(NOTIFICATION)) {
      YamlMap map = display.map(NOTIFICATION).onlyWith("program", "bus", "time-limit");
      List<String> program = map.list("program");
      notification =
          new Notification(
              Program.fixed(
                  program.isEmpty() ? List.of("notify-send", "--app-name=Beckon", "--") : program,
                  map.duration("time-limit", DEFAULT_TIME_LIMIT)),
              map.text("bus"));
    }
    DisplayConfig config = new DisplayConfig(display.flag(TERMINAL, true), file, notification);
    if (config.targets().isEmpty()) {
      throw display.bad(TERMINAL, "false (expected a file or a notification then)");
    }
    return config;
  }

  /** What a command can choose from; the first is the default. */
  List<String> targets() {
    List<String> targets = new ArrayList<>();
    if (terminal) {
      targets.add(TERMINAL);
    }
    if (file != null) {
      targets.add(FILE);
    }
    if (notification != null) {
      targets.add(NOTIFICATION);
    }
    return targets;
  }
}
