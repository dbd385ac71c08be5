package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands against a real server in a process of its own. */
class ServerProcessTest {

  private static final Pattern READY =
      Pattern.compile(
          "ready udp=127\\.0\\.0\\.1:(\\d+) tls=127\\.0\\.0\\.1:(\\d+) http=(127\\.0\\.0\\.1:\\d+)"
              + " data=(.*)");

  @TempDir private static Path folder;
  private static Process server;
  private static Matcher ready;

  @BeforeAll
  static void start() throws IOException {
    server = serve("data");
    BufferedReader out = server.inputReader();
    String line = out.readLine();
    ready = READY.matcher(String.valueOf(line));
    assertThat(ready.matches()).as("first line: %s", line).isTrue();
  }

  @AfterAll
  static void stop() {
    server.destroyForcibly();
  }

  private static Process serve(String data, String... more) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("serve", "--udp", "127.0.0.1:0", "--tls", "127.0.0.1:0"));
    command.addAll(List.of("--http", "127.0.0.1:0", "--advertise", "127.0.0.1"));
    command.addAll(List.of("--data", folder.resolve(data).toString()));
    command.addAll(List.of(more));
    return new ProcessBuilder(command)
        .redirectError(folder.resolve(data + "-" + more.length + ".err").toFile())
        .start();
  }

  private static CommandRun run(String... args) throws IOException {
    String token = Files.readString(folder.resolve("data/admin.token"));
    return new CommandRun.Place(folder)
        .with("BECKON_SERVER", "http://" + ready.group(3))
        .with("BECKON_TOKEN", token)
        .run(args);
  }

  @Test
  void printsOneReadyLineWithRealPortsAndWritesThePrivateToken() throws IOException {
    assertThat(Integer.parseInt(ready.group(1))).isPositive();
    assertThat(Integer.parseInt(ready.group(2))).isPositive();
    assertThat(ready.group(4)).isEqualTo(folder.resolve("data").toString());
    assertThat(Files.getPosixFilePermissions(folder.resolve("data/admin.token")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void addsShowsAndRevokesADevice() throws IOException {
    assertThat(run("device", "add", "hall").out()).startsWith("beckon1:127.0.0.1:").hasLineCount(1);
    assertThat(run("device", "show", "hall").out()).contains("INVITED").contains("not known yet");
    assertThat(run("device", "revoke", "hall").out()).isEqualTo("hall revoked\n");
    assertThat(run("device", "list").out()).containsPattern("hall +REVOKED");
  }

  @Test
  void followsACommandUntilItExpires() throws IOException {
    run("device", "add", "attic");

    CommandRun run = run("send", "attic", "echo", "text=a", "--deadline", "300ms", "--wait");

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.EXPIRED);
    assertThat(run.err()).contains("0 ms  queued").contains("EXPIRED");
  }

  @Test
  void cancelsACommandThatWaits() throws IOException {
    run("device", "add", "cellar");
    Path page = Files.writeString(folder.resolve("page"), "a page");
    String id = run("send", "cellar", "print", "--body", page.toString()).out().strip();

    assertThat(run("command", "cancel", id).out()).isEqualTo(id + " CANCELLED\n");
    assertThat(run("command", "cancel", id).exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run("command", "list", "--device", "cellar", "--json").out())
        .contains("\"CANCELLED\"")
        .contains("\"bodyBytes\" : 6");
  }

  @Test
  void explainsAnUnknownDeviceAndAWrongToken() throws IOException {
    CommandRun unknown = run("send", "nobody", "echo");
    CommandRun stranger =
        new CommandRun.Place(folder)
            .with("BECKON_SERVER", "http://" + ready.group(3))
            .with("BECKON_TOKEN", "guessed")
            .run("device", "list");

    assertThat(unknown.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(unknown.err()).startsWith("beckon: device: nobody (expected ").hasLineCount(2);
    assertThat(stranger.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(stranger.err()).startsWith("beckon: token: the server does not accept it\n");
  }

  @Test
  void aSecondServerOnTheSameFolderSaysSoInOneLine() throws Exception {
    Process second = serve("data", "--public-stun");

    assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(second.exitValue()).isEqualTo(ExitCode.FAILED);
    assertThat(Files.readString(folder.resolve("data-1.err")))
        .startsWith("beckon: data: " + folder.resolve("data") + " (in use by process ")
        .hasLineCount(1);
  }

  @Test
  void endsWithZeroOnSigtermAndCanStartAgain() throws Exception {
    for (int start = 0; start < 2; start++) {
      Process own = serve("own");
      String line = own.inputReader(StandardCharsets.UTF_8).readLine();
      assertThat(line).startsWith("ready ");

      own.destroy();

      assertThat(own.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(own.exitValue()).isZero();
    }
  }

  @Test
  void warnsInOneLineAtTheStartOfAModeThatIsForLabs() throws Exception {
    Process lab = serve("lab", "--security", "none");
    assertThat(lab.inputReader(StandardCharsets.UTF_8).readLine()).startsWith("ready ");

    lab.destroy();

    assertThat(lab.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(Files.readString(folder.resolve("lab-2.err")))
        .contains("WARN  LabGuard: security: none (for labs only: ")
        .hasLineCount(1);
  }
}
