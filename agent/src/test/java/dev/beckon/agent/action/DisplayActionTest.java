package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Action;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DisplayActionTest {
  @TempDir private Path folder;
  private final List<String> terminal = new ArrayList<>();
  private final Map<String, String> environment = new TreeMap<>();

  @Test
  void showsOnTheTerminalWithoutAConfiguration() throws Exception {
    Result result = run("", Map.of("text", "Dinner is ready"));

    assertThat(terminal).containsExactly("Dinner is ready");
    assertThat(result.values())
        .containsEntry("text", "Dinner is ready")
        .containsEntry("target", "terminal");
  }

  @Test
  void allowsOnlyTheTargetsOfTheConfiguration() throws Exception {
    assertThat(action("").action().refusal(Map.of("text", "x", "target", "file"), false))
        .isEqualTo("target: file (expected one of terminal)");
    assertThat(action("").action().refusal(Map.of("text", "x", "title", "y"), false))
        .startsWith("title: unknown argument");
  }

  @Test
  void replacesAFile() throws Exception {
    Path file = folder.resolve("sign.txt");
    String yaml = "display: {terminal: false, file: {path: " + file + "}}";

    run(yaml, Map.of("text", "open"));
    run(yaml, Map.of("text", "closed"));

    assertThat(file).hasContent("closed\n");
    assertThat(folder.toFile().list()).containsExactly("sign.txt");
    assertThat(terminal).isEmpty();
  }

  @Test
  void addsToAFile() throws Exception {
    Path file = folder.resolve("log.txt");
    String yaml = "display: {file: {path: " + file + ", append: true}}";

    run(yaml, Map.of("text", "one", "target", "file"));
    run(yaml, Map.of("text", "two", "target", "file"));

    assertThat(file).hasContent("one\ntwo\n");
  }

  @Test
  void aFileThatCannotBeWrittenIsATypedFailure() throws Exception {
    Result result =
        run(
            "display: {file: {path: " + folder.resolve("no/such/folder/x") + "}}",
            Map.of("text", "x", "target", "file"));

    assertThat(result.values()).containsEntry("failure", "cannot-write");
    assertThat(result.failure()).startsWith("file: ").contains("no/such/folder");
  }

  @Test
  void givesANotificationToTheProgramOfTheDesktop() throws Exception {
    Path program = folder.resolve("notify");
    Files.writeString(
        program,
        "#!/bin/sh\nfor a; do echo \"[$a]\"; done > "
            + folder.resolve("shown")
            + "\necho $DBUS_SESSION_BUS_ADDRESS >> "
            + folder.resolve("shown")
            + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    environment.put("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/bus");

    Result result =
        run(
            "display: {notification: {program: [" + program + ", --]}}",
            Map.of("text", "-u <b> & all", "title", "Door", "target", "notification"));

    assertThat(result.failure()).isNull();
    assertThat(folder.resolve("shown"))
        .hasContent("[--]\n[Door]\n[-u &lt;b&gt; &amp; all]\nunix:path=/run/bus\n");
  }

  @Test
  void refusesATextThatTheProgramCouldTakeForAnOption() throws Exception {
    Action open = action("display: {notification: {program: [notify]}}").action();
    Action closed = action("display: {notification: {program: [notify, --]}}").action();
    Map<String, String> option = Map.of("text", "--help", "target", "notification");

    assertThat(open.refusal(option, false))
        .isEqualTo(
            "text: --help (expected a text that does not begin with -, or -- at the end of"
                + " display.notification.program in agent.yaml)");
    assertThat(open.refusal(Map.of("text", "x", "title", "-u", "target", "notification"), false))
        .startsWith("title: -u (expected");
    assertThat(open.refusal(Map.of("text", "--help"), false)).as("on the terminal").isNull();
    assertThat(closed.refusal(option, false)).isNull();
  }

  @Test
  void nobodyLoggedInIsATypedFailure() throws Exception {
    Result result =
        run("display: {notification: {}}", Map.of("text", "x", "target", "notification"));

    assertThat(result.values()).containsEntry("failure", "no-session");
    assertThat(result.failure()).startsWith("notification: no desktop session (expected");
  }

  @Test
  void aDesktopThatShowsNothingIsATypedFailure() throws Exception {
    Result result =
        run(
            "display: {notification: {program: ['false'], bus: 'unix:path=/no/such/bus'}}",
            Map.of("text", "x", "target", "notification"));

    assertThat(result.values()).containsEntry("failure", "no-session");
  }

  @Test
  void aProgramThatIsMissingOrHangsIsATypedFailure() throws Exception {
    String bus = ", bus: 'unix:path=/no/such/bus'}}";
    Map<String, String> arguments = Map.of("text", "x", "target", "notification");

    assertThat(run("display: {notification: {program: [/no/such]" + bus, arguments).values())
        .containsEntry("failure", "program-missing");
    assertThat(
            run(
                    "display: {notification: {program: [sh, -c, 'sleep 100'], time-limit: 300ms"
                        + bus,
                    arguments)
                .values())
        .containsEntry("failure", "timed-out");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {terminal: false}         | terminal: false (expected a file or a notification then)
          {file: {}}                | path: missing (expected the path of a file)
          {file: {path: /}}         | path: / (expected the path of a file)
          {fill: {path: /x}}        | fill: unknown key (expected file?)
          """)
  void saysWhatIsWrongInTheConfiguration(String display, String message) {
    assertThatThrownBy(() -> action("display: " + display))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }

  private DisplayAction action(String yaml) throws ConfigException {
    return new DisplayAction(Actions.read(yaml).display(), terminal::add, environment::get);
  }

  private Result run(String yaml, Map<String, String> arguments) throws Exception {
    return FailedException.caught(action(yaml))
        .run(Command.of("display", arguments, (percent, text) -> {}));
  }
}
