package dev.beckon.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A group that was confirmed becomes whole, wherever in its adding the process was killed. */
final class GroupSurvivesKillTest {

  private static final int DEVICES = 2_000;
  private static final int KILLS = 3;

  @TempDir private Path temp;

  @Test
  void isMadeWholeAfterSigkillInTheMidstOfAdding() throws Exception {
    try (Fleet fleet = new Fleet(temp)) {
      GroupsTest.enroll(fleet, DEVICES, "all");
    }
    List<String> confirmed = new ArrayList<>();
    for (int kill = 0; kill < KILLS; kill++) {
      confirmed.addAll(confirmedUntilKilled(kill + 1));
    }

    assertThat(confirmed).isNotEmpty();
    try (Fleet fleet = new Fleet(temp)) {
      Groups groups = fleet.commands.groups();
      long half =
          confirmed.stream().filter(id -> !groups.find(id).orElseThrow().complete()).count();
      assertThat(half).as("kills in the midst of adding").isPositive();
      while (groups.work()) {
        // once for each portion
      }
      for (String id : confirmed) {
        Group group = groups.find(id).orElseThrow();
        assertThat(group.complete()).isTrue();
        assertThat(group.count(CommandState.QUEUED)).isEqualTo(DEVICES);
        assertThat(
                fleet.database.<Long>read(
                    sql ->
                        sql.first(
                                "SELECT count(DISTINCT device_id) FROM commands WHERE group_id = ?",
                                row -> row.getLong(1),
                                id)
                            .orElseThrow()))
            .isEqualTo(DEVICES);
      }
      System.out.printf(
          "%d groups confirmed before %d kills, %d of them not whole then%n",
          confirmed.size(), KILLS, half);
    }
  }

  /** Runs a process that sends to all devices, and kills it in the midst of adding. */
  private List<String> confirmedUntilKilled(int portions) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "--enable-native-access=ALL-UNNAMED",
                Sender.class.getName(),
                temp.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> confirmed = new ArrayList<>();
    int seen = 0;
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        if (line.startsWith("accepted ")) {
          confirmed.add(line.substring("accepted ".length()));
        } else if (line.equals("portion") && ++seen == portions) {
          process.destroyForcibly(); // SIGKILL: no hook runs
        }
      }
    } catch (IOException e) {
      // Its end may cut the stream; what was read counts.
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(seen).isGreaterThanOrEqualTo(portions);
    return confirmed;
  }

  /** Sends to all devices, and says what it did. */
  static final class Sender {
    private Sender() {}

    public static void main(String[] args) {
      PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
      Fleet fleet = new Fleet(Path.of(args[0]));
      Groups groups = fleet.commands.groups();
      NewCommand echo =
          new NewCommand(
              new DeviceId("each"),
              "echo",
              Map.of("text", "hello"),
              null,
              fleet.now.get().plusSeconds(3_600),
              null);
      while (true) {
        NewGroup all = new NewGroup(new TreeSet<>(Set.of("all")), echo, true);
        out.println(
            "accepted " + ((GroupSubmission.Accepted) groups.submit(all).join()).group().id());
        do {
          out.println("portion");
        } while (groups.work());
      }
    }
  }
}
