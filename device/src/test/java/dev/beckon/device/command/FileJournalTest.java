package dev.beckon.device.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileJournalTest {
  @TempDir private Path folder;

  @Test
  void remembersTheNewestStateOfEachCommandInTheOrderOfArrival() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry("A", State.DELIVERED));
      journal.write(entry("B", State.DELIVERED));
      journal.write(entry("A", State.RUNNING));
      journal.write(entry("C", State.DELIVERED));
      journal.forget(new CommandKey(0, "B"));
    }
    assertThat(reopened()).containsExactly("A RUNNING", "C DELIVERED");
  }

  @Test
  void keepsTheSameCommandIdOfTwoServersApart() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry("A", State.RUNNING));
      journal.write(entry(7, "A", State.DELIVERED));
      journal.write(entry(65_534, "A", State.RUNNING));
      journal.write(entry(7, "A", State.RUNNING));
      journal.forget(new CommandKey(65_534, "A"));
      journal.forget(new CommandKey(8, "A"));
    }
    assertThat(reopened()).containsExactly("A RUNNING", "7/A RUNNING");
  }

  @Test
  void keepsWhoGaveACommandWhenItIsWrittenAnew() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry(7, "KEPT", State.RUNNING));
      for (int i = 0; i < 200; i++) {
        journal.write(entry("N" + i, State.RUNNING, "x".repeat(3_000)));
        journal.forget(new CommandKey(0, "N" + i));
      }
    }
    assertThat(reopened()).containsExactly("7/KEPT RUNNING");
  }

  @Test
  void toleratesATailThatThePowerCutTore() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry("A", State.RUNNING));
      journal.write(entry("B", State.DELIVERED));
    }
    byte[] whole = Files.readAllBytes(path());
    int first = 4 + (whole.length - 4) / 2; // both records are of the same length
    for (int length = 0; length < whole.length; length++) {
      Files.write(path(), Arrays.copyOf(whole, length));
      List<String> expected = new ArrayList<>();
      if (length >= first) {
        expected.add("A RUNNING");
      }
      try (FileJournal journal = open()) {
        assertThat(states(journal)).as("cut after %d bytes", length).isEqualTo(expected);
        journal.write(entry("C", State.DELIVERED));
      }
      expected.add("C DELIVERED");
      assertThat(reopened()).as("written on after %d bytes", length).isEqualTo(expected);
    }
  }

  @Test
  void readsWhatFollowsADamagedRecord() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry("A", State.RUNNING));
      journal.write(entry("B", State.RUNNING));
      journal.write(entry("C", State.RUNNING));
    }
    byte[] bytes = Files.readAllBytes(path());
    bytes[bytes.length / 2] ^= 1;
    Files.write(path(), bytes);

    assertThat(reopened()).containsExactly("A RUNNING", "C RUNNING");
  }

  @Test
  void refusesAFileThatIsNoJournal() throws IOException {
    Files.writeString(path(), "my diary");

    assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageContaining("BKJ1");
    assertThat(Files.readString(path())).as("and leaves it alone").isEqualTo("my diary");
  }

  @Test
  void keepsASecondProcessOut() throws IOException {
    try (FileJournal journal = open()) {
      assertThat(journal.entries()).isEmpty();
      assertThatThrownBy(this::open)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("data: " + folder)
          .hasMessageContaining("in use");
    }
  }

  @Test
  void staysSmallHoweverManyCommandsCome() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry("KEPT", State.RUNNING));
      for (int i = 0; i < 300; i++) {
        journal.write(entry("N" + i, State.RUNNING, "x".repeat(3_000)));
        journal.forget(new CommandKey(0, "N" + i));
      }
    }
    assertThat(Files.size(path())).isLessThan(2L * FileJournal.COMPACTION_BYTES);
    assertThat(reopened()).containsExactly("KEPT RUNNING");
  }

  @Test
  void goesOnAfterAWriteFailed() throws IOException {
    try (FileJournal journal = open()) {
      journal.write(entry("A", State.DELIVERED));
    }
    // A folder in the file's place: opening it for writing fails, whoever the user is.
    Path aside = folder.resolve("aside");
    try (FileJournal journal = open()) {
      Files.move(path(), aside);
      Files.createDirectory(path());
      assertThatThrownBy(() -> journal.write(entry("B", State.DELIVERED)))
          .isInstanceOf(IOException.class);
      Files.delete(path());
      Files.move(aside, path());
      journal.write(entry("C", State.DELIVERED));
    }
    assertThat(reopened()).containsExactly("A DELIVERED", "C DELIVERED");
  }

  @Test
  void losesNothingItConfirmedWhenTheProcessIsKilled() throws Exception {
    for (int round = 0; round < 3; round++) {
      Files.deleteIfExists(path());
      Process writer =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Writer.class.getName(),
                  path().toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      int confirmed = -1;
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(writer.getInputStream(), StandardCharsets.UTF_8))) {
        for (int i = 0; i < 200 + 37 * round; i++) {
          confirmed = Integer.parseInt(lines.readLine());
        }
        writer.toHandle().destroyForcibly(); // SIGKILL; unlike the Process it leaves the pipe open
        assertThat(writer.waitFor(10, TimeUnit.SECONDS)).isTrue();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          confirmed = Integer.parseInt(line);
        }
      }
      List<String> states = reopened();
      assertThat(states.size()).isBetween(confirmed + 1, confirmed + 2);
      for (int i = 0; i <= confirmed; i++) {
        assertThat(states.get(i)).isEqualTo("N" + i + " RUNNING");
      }
    }
  }

  /** Writes entries and says so, until it is killed. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] args) throws IOException {
      try (FileJournal journal = FileJournal.open(Path.of(args[0]))) {
        for (int i = 0; ; i++) {
          journal.write(entry("N" + i, State.RUNNING, "x".repeat(i % 300)));
          System.out.println(i);
        }
      }
    }
  }

  private FileJournal open() throws IOException {
    return FileJournal.open(path());
  }

  private Path path() {
    return folder.resolve("journal.log");
  }

  private List<String> reopened() throws IOException {
    try (FileJournal journal = open()) {
      return states(journal);
    }
  }

  private static List<String> states(FileJournal journal) {
    return journal.entries().stream()
        .map(entry -> name(entry.key()) + " " + entry.update().getState())
        .toList();
  }

  private static Journal.Entry entry(String id, State state) {
    return entry(id, state, "");
  }

  private static String name(CommandKey key) {
    return key.server() == 0 ? key.commandId() : key.server() + "/" + key.commandId();
  }

  private static Journal.Entry entry(int server, String id, State state) {
    return new Journal.Entry(server, 7, entry(id, state).update());
  }

  private static Journal.Entry entry(String id, State state, String reason) {
    return new Journal.Entry(
        0, 7, Update.newBuilder().setCommandId(id).setState(state).setReason(reason).build());
  }
}
