package dev.beckon.agent.action;

import dev.beckon.agent.action.DisplayConfig.Notification;
import dev.beckon.agent.action.DisplayConfig.TextFile;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import dev.beckon.protocol.Redaction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The action {@code display}: shows a text on the terminal, in a file or on the desktop. */
final class DisplayAction implements ActionHandler {
  private static final String TEXT = "text";
  private static final String TITLE = "title";
  private static final String TARGET = "target";
  private static final String BUS_VARIABLE = "DBUS_SESSION_BUS_ADDRESS";

  private final DisplayConfig config;
  private final Consumer<String> terminal;
  private final UnaryOperator<@Nullable String> environment;

  /**
   * @param terminal shows a text there
   * @param environment a variable of the agent's environment, null if it is not set
   */
  DisplayAction(
      DisplayConfig config,
      Consumer<String> terminal,
      UnaryOperator<@Nullable String> environment) {
    this.config = config;
    this.terminal = terminal;
    this.environment = environment;
  }

  Action action() {
    String[] targets = config.targets().toArray(new String[0]);
    Action action =
        Action.named("display")
            .describedAs("Shows a text")
            .takes(
                Parameter.text(TEXT).between(0, 10_000),
                Parameter.text(TARGET)
                    .optional()
                    .oneOf(targets)
                    .describedAs("where to show it; " + targets[0] + " if not given"));
    return config.notification() == null
        ? action
        : action
            .takes(
                Parameter.text(TITLE)
                    .optional()
                    .between(1, 200)
                    .describedAs("of a notification; Beckon if not given"))
            .checkedBy(this::refusal);
  }

  /**
   * A text that the notification's program could take for an option is refused: behind {@code --}
   * nothing is one.
   */
  private @Nullable String refusal(Map<String, String> arguments) {
    Notification notification = config.notification();
    String target = arguments.getOrDefault(TARGET, config.targets().get(0));
    if (notification == null
        || !target.equals(DisplayConfig.NOTIFICATION)
        || notification.program().command().contains("--")) {
      return null;
    }
    for (String name : List.of(TITLE, TEXT)) {
      String value = arguments.getOrDefault(name, "");
      if (value.startsWith("-")) {
        return name
            + ": "
            + value
            + " (expected a text that does not begin with -, or -- at the end of"
            + " display.notification.program in agent.yaml)";
      }
    }
    return null;
  }

  @Override
  public Result run(Command command) throws FailedException, InterruptedException {
    String text = command.text(TEXT);
    String target = command.has(TARGET) ? command.text(TARGET) : config.targets().get(0);
    switch (target) {
      case DisplayConfig.FILE -> write(Objects.requireNonNull(config.file()), text);
      case DisplayConfig.NOTIFICATION ->
          notify(Objects.requireNonNull(config.notification()), command, text);
      // The terminal's lines stand among the events, which people keep in logs.
      default -> terminal.accept(command.isSecret(TEXT) ? Redaction.MARK : text);
    }
    return Result.of(TEXT, text).with(TARGET, target);
  }

  private static void write(TextFile file, String text) throws FailedException {
    byte[] line = (text + "\n").getBytes(StandardCharsets.UTF_8);
    Path path = file.path().toAbsolutePath();
    try {
      if (file.append()) {
        Files.write(path, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return;
      }
      // Who reads the file sees the old text or the new one, never half of it.
      Path fresh = path.resolveSibling("." + path.getFileName() + ".new");
      Files.write(fresh, line);
      Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new FailedException(
          Failure.CANNOT_WRITE,
          "file: "
              + file.path()
              + " (expected a file that can be written; "
              + e.getClass().getSimpleName()
              + ": "
              + e.getMessage()
              + ")");
    }
  }

  private void notify(Notification notification, Command command, String text)
      throws FailedException, InterruptedException {
    String bus = notification.bus() != null ? notification.bus() : busOfSession();
    if (bus == null) {
      throw new FailedException(
          Failure.NO_SESSION,
          "notification: no desktop session (expected "
              + BUS_VARIABLE
              + " in the agent's environment, or display.notification.bus in agent.yaml)");
    }
    List<String> vector = new ArrayList<>(notification.program().command());
    vector.add(command.has(TITLE) ? command.text(TITLE) : "Beckon");
    vector.add(escaped(text));
    Program program = Program.fixed(vector, notification.program().timeLimit());
    ProgramRun.End end = ProgramRun.run(program, command, Map.of(BUS_VARIABLE, bus));
    Integer exit = end.exit();
    if (exit == null) {
      throw new FailedException(end.result());
    }
    if (exit != 0) {
      throw new FailedException(
          Failure.NO_SESSION.because(
              "notification: not shown by "
                  + vector.get(0)
                  + " (expected a desktop that shows notifications): "
                  + end.text().strip()));
    }
  }

  private @Nullable String busOfSession() {
    String bus = environment.apply(BUS_VARIABLE);
    if (bus != null && !bus.isEmpty()) {
      return bus;
    }
    String folder = environment.apply("XDG_RUNTIME_DIR");
    return folder != null && Files.exists(Path.of(folder, "bus"))
        ? "unix:path=" + Path.of(folder, "bus")
        : null;
  }

  /** Notifications understand some markup; a text is a text. */
  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
