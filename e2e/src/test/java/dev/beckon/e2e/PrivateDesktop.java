package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.lab.LabProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A real desktop of our own that nobody sees: an X server without a screen, a session bus, and a
 * notification daemon that writes down what it shows.
 */
final class PrivateDesktop implements AutoCloseable {
  static final String SCREEN = "/usr/bin/Xvfb";
  static final String BUS = "/usr/bin/dbus-daemon";
  static final String DAEMON = "/usr/bin/dunst";
  static final String NOTIFIER = "/usr/bin/notify-send";

  /** Debian's packages with them. */
  static final String PACKAGES = "xvfb dbus dunst libnotify-bin";

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Path shown;
  private final Deque<LabProcess> processes = new ArrayDeque<>();
  private String bus = "";

  private PrivateDesktop(Path shown) {
    this.shown = shown;
  }

  /** Starts it; it takes notifications by then. */
  static PrivateDesktop start(Path folder) throws IOException, InterruptedException {
    PrivateDesktop desktop = new PrivateDesktop(folder.resolve("shown"));
    try {
      desktop.open(desktop.settings(folder));
    } catch (IOException | InterruptedException | RuntimeException | Error failed) {
      desktop.close();
      throw failed;
    }
    return desktop;
  }

  private Path settings(Path folder) throws IOException {
    Path script = folder.resolve("write-down");
    // Called with application, title, text, icon and urgency of what has just been shown.
    Files.writeString(
        script,
        """
        #!/bin/sh
        printf '%%s\\n' "$1" "$2" "$3" > '%1$s.new' && mv '%1$s.new' '%1$s'
        """
            .formatted(shown));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    return Files.writeString(
        folder.resolve("dunstrc"),
        """
        [global]
            monitor = 0
        [everything]
            summary = "*"
            script = %s
        """
            .formatted(script));
  }

  private void open(Path settings) throws InterruptedException {
    LabProcess screen =
        run(SCREEN, "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp");
    String display = ":" + screen.await("a display", line -> line.matches("\\d+"), PATIENCE);
    bus =
        run(BUS, "--session", "--nofork", "--print-address=1")
            .await("an address", line -> line.startsWith("unix:"), PATIENCE);
    run("env", "DISPLAY=" + display, busVariable(), DAEMON, "-conf", settings.toString());
    while (!takesNotifications()) {
      World.pass(Duration.ofMillis(50));
    }
  }

  private boolean takesNotifications() {
    String question = "org.freedesktop.DBus.NameHasOwner";
    try (LabProcess asked =
        LabProcess.start(
            "dbus-send",
            List.of(
                "env",
                busVariable(),
                "dbus-send",
                "--print-reply",
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                question,
                "string:org.freedesktop.Notifications"),
            _ -> {})) {
      asked.awaitEnd(PATIENCE);
      return asked.lines().stream().anyMatch(line -> line.contains("boolean true"));
    }
  }

  private LabProcess run(String... command) {
    LabProcess process = LabProcess.start(command[0], new ArrayList<>(List.of(command)), _ -> {});
    processes.push(process);
    return process;
  }

  private String busVariable() {
    return "DBUS_SESSION_BUS_ADDRESS=" + bus;
  }

  /** Address of the session bus. */
  String bus() {
    return bus;
  }

  /** Waits until one is shown; its application, title and text, the last with its markup. */
  List<String> awaitShown() throws IOException {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (!Files.exists(shown)) {
      assertThat(Instant.now()).as("a notification is shown").isBefore(deadline);
      World.pass(Duration.ofMillis(50));
    }
    return Files.readAllLines(shown);
  }

  @Override
  public void close() {
    processes.forEach(LabProcess::close);
  }
}
