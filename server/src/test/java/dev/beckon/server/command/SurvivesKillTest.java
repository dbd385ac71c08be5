package dev.beckon.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.session.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process confirmed before it was killed is there afterwards. */
final class SurvivesKillTest {

  private static final int KILLS = 2;
  private static final int CONFIRMED_BEFORE_KILL = 300;

  @TempDir private Path temp;

  @Test
  void keepsEveryConfirmedCommandAcrossSigkill() throws Exception {
    List<String> confirmed = new ArrayList<>();
    for (int kill = 0; kill < KILLS; kill++) {
      confirmed.addAll(confirmedUntilKilled());
    }

    System.out.printf(
        "%d commands and reports confirmed before %d kills%n", confirmed.size(), KILLS);
    assertThat(confirmed).hasSizeGreaterThanOrEqualTo(KILLS * CONFIRMED_BEFORE_KILL);
    try (Fleet fleet = new Fleet(temp)) {
      for (String line : confirmed) {
        String[] words = line.split(" ");
        Command command =
            fleet
                .commands
                .find(words[1])
                .orElseThrow(() -> new AssertionError("lost after the kill: " + line));
        if (words[0].equals("reported")) {
          assertThat(command.state()).as(line).isEqualTo(CommandState.SUCCEEDED);
        }
        if (command.bodyBytes() > 0) {
          try (InputStream body = fleet.commands.body(command.id()).orElseThrow()) {
            assertThat(body.readAllBytes()).as(line).hasSize((int) command.bodyBytes());
          }
        }
      }
    }
  }

  /**
   * Runs a process that submits as fast as it can, kills it in the midst, and returns its lines.
   */
  private List<String> confirmedUntilKilled() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "--enable-native-access=ALL-UNNAMED",
                Submitter.class.getName(),
                temp.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> confirmed = new ArrayList<>();
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        if (line.startsWith("accepted ") || line.startsWith("reported ")) {
          confirmed.add(line);
        }
        if (confirmed.size() == CONFIRMED_BEFORE_KILL) {
          // SIGKILL: no hook runs, nothing is flushed. What it printed before is still read.
          process.destroyForcibly();
        }
      }
    } catch (IOException e) {
      // Its end may cut the stream; what was read counts.
      assertThat(confirmed).hasSizeGreaterThanOrEqualTo(CONFIRMED_BEFORE_KILL);
    } finally {
      process.destroyForcibly().waitFor();
    }
    return confirmed;
  }

  /**
   * Submits commands, every tenth with a body, and reports their ends; prints what is confirmed.
   */
  static final class Submitter {
    private Submitter() {}

    public static void main(String[] args) throws InterruptedException {
      PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
      Fleet fleet = new Fleet(Path.of(args[0]));
      Semaphore underWay = new Semaphore(64);
      for (int i = 0; ; i++) {
        underWay.acquire();
        byte[] body = i % 10 == 0 ? new byte[1000 + i % 1000] : null;
        fleet
            .commands
            .submit(fleet.echo("n" + i, body))
            .thenCompose(
                submission -> {
                  String id = ((Submission.Accepted) submission).command().id();
                  out.println("accepted " + id);
                  return fleet.commands.update(
                      Fleet.KITCHEN, Fleet.update(id, State.SUCCEEDED).build(), null);
                })
            .whenComplete(
                (command, failure) -> {
                  if (failure == null) {
                    out.println("reported " + command.orElseThrow().id());
                  } else {
                    failure.printStackTrace();
                  }
                  underWay.release();
                });
      }
    }
  }
}
