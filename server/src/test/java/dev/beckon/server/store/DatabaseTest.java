package dev.beckon.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DatabaseTest {

  @TempDir private Path temp;

  private static SqlWork<Integer> insert(String name) {
    return sql -> sql.update("INSERT INTO settings (name, value) VALUES (?, ?)", name, new byte[1]);
  }

  private static List<String> names(Database database) {
    return database.read(
        sql -> sql.list("SELECT name FROM settings ORDER BY name", row -> row.getString(1)));
  }

  /** Keeps the writer busy until the latch opens, so that what follows shares one commit. */
  private static CompletableFuture<Integer> occupy(Database database, CountDownLatch latch)
      throws InterruptedException {
    CountDownLatch running = new CountDownLatch(1);
    CompletableFuture<Integer> future =
        database.write(
            sql -> {
              running.countDown();
              await(latch);
              return 0;
            });
    running.await();
    return future;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void keepsWhatWasWrittenWhenOpenedAgain() {
    try (Database database = Database.open(temp)) {
      database.write(insert("a")).join();
    }

    try (Database database = Database.open(temp)) {
      assertThat(names(database)).containsExactly("a");
    }
  }

  @Test
  void commitsWhatWasSubmittedBeforeItCloses() {
    List<CompletableFuture<Integer>> writes = new ArrayList<>();
    try (Database database = Database.open(temp)) {
      for (int i = 0; i < 1000; i++) {
        writes.add(database.write(insert("n" + i)));
      }
    }

    assertThat(writes).allMatch(CompletableFuture::isDone);
    try (Database database = Database.open(temp)) {
      assertThat(names(database)).hasSize(1000);
    }
  }

  @Test
  void syncsTheLogAtEveryCommit() {
    try (Database database = Database.open(temp)) {
      String journal =
          database
              .write(sql -> sql.first("PRAGMA journal_mode", row -> row.getString(1)))
              .join()
              .orElseThrow();
      int synchronous =
          database
              .write(sql -> sql.first("PRAGMA synchronous", row -> row.getInt(1)))
              .join()
              .orElseThrow();

      assertThat(journal).isEqualTo("wal");
      assertThat(synchronous).as("2 is FULL").isEqualTo(2);
    }
  }

  @Test
  void putsWaitingWritesIntoOneCommit() throws Exception {
    try (Database database = Database.open(temp)) {
      CountDownLatch latch = new CountDownLatch(1);
      CompletableFuture<Integer> first = occupy(database, latch);
      List<CompletableFuture<Integer>> waiting =
          IntStream.range(0, 100).mapToObj(i -> database.write(insert("n" + i))).toList();
      latch.countDown();
      first.join();
      waiting.forEach(CompletableFuture::join);

      assertThat(database.writes()).isEqualTo(101);
      assertThat(database.commits()).isEqualTo(2);
    }
  }

  @Test
  void undoesAFailedWriteAndKeepsItsNeighbours() throws Exception {
    try (Database database = Database.open(temp)) {
      CountDownLatch latch = new CountDownLatch(1);
      CompletableFuture<Integer> first = occupy(database, latch);
      CompletableFuture<Integer> before = database.write(insert("before"));
      CompletableFuture<Integer> failing =
          database.write(
              sql -> {
                insert("half").run(sql);
                throw new IllegalStateException("no");
              });
      CompletableFuture<Integer> duplicate = database.write(insert("before"));
      CompletableFuture<Integer> after = database.write(insert("after"));
      latch.countDown();
      first.join();
      before.join();
      after.join();

      assertThatThrownBy(failing::join).hasRootCauseInstanceOf(IllegalStateException.class);
      assertThatThrownBy(duplicate::join).hasRootCauseInstanceOf(SQLException.class);
      assertThat(names(database)).containsExactly("after", "before");
    }
  }

  @Test
  void completesFuturesInTheOrderOfTheWrites() {
    List<Integer> completed = new ArrayList<>();
    try (Database database = Database.open(temp)) {
      for (int i = 0; i < 500; i++) {
        int n = i;
        database.write(insert("n" + i)).thenRun(() -> completed.add(n));
      }
    }

    // Those that were already complete ran on this thread; the others follow in order.
    assertThat(completed).hasSize(500).isSorted();
  }

  @Test
  void failsEveryWriteOfACommitThatTheDiskRefusesAndGoesOn() {
    try (Database database = Database.open(temp)) {
      int pages =
          database
              .write(sql -> sql.first("PRAGMA page_count", row -> row.getInt(1)))
              .join()
              .orElseThrow();
      database
          .write(sql -> sql.first("PRAGMA max_page_count = " + (pages + 2), row -> row.getInt(1)))
          .join();
      SqlWork<Integer> large =
          sql -> sql.update("INSERT INTO settings VALUES ('large', ?)", new byte[1 << 20]);

      assertThatThrownBy(() -> database.write(large).join())
          .isInstanceOf(CompletionException.class)
          .hasStackTraceContaining("SQLITE_FULL");
      assertThat(database.write(insert("small")).join()).isEqualTo(1);
      assertThat(names(database)).containsExactly("small");
    }
  }

  @Test
  void refusesWritesBeyondItsLimitInsteadOfPilingThemUp() throws Exception {
    try (Database database = Database.open(temp)) {
      CountDownLatch latch = new CountDownLatch(1);
      CompletableFuture<Integer> first = occupy(database, latch);
      List<CompletableFuture<Integer>> waiting = new ArrayList<>();
      for (int i = 1; i < CommitThread.MAX_OUTSTANDING; i++) {
        waiting.add(database.write(sql -> 1));
      }
      CompletableFuture<Integer> tooMany = database.write(insert("too many"));
      assertThat(tooMany).isCompletedExceptionally();
      latch.countDown();
      first.join();
      waiting.forEach(CompletableFuture::join);

      assertThat(database.write(insert("next")).join()).isEqualTo(1);
      assertThat(names(database)).containsExactly("next");
    }
  }

  @Test
  void readsCannotChangeAnything() {
    try (Database database = Database.open(temp)) {
      assertThatThrownBy(() -> database.read(insert("a")))
          .isInstanceOf(StoreException.class)
          .hasStackTraceContaining("SQLITE_READONLY");
      assertThat(names(database)).isEmpty();
    }
  }

  @Test
  void aReadSeesOneMomentWhateverIsWrittenMeanwhile() {
    try (Database database = Database.open(temp)) {
      database.write(insert("a")).join();
      List<Integer> counts =
          database.read(
              sql -> {
                List<Integer> seen = new ArrayList<>();
                for (String name : List.of("b", "c")) {
                  seen.add(sql.list("SELECT name FROM settings", row -> row.getString(1)).size());
                  database.write(insert(name)).join();
                }
                return seen;
              });

      assertThat(counts).containsExactly(1, 1);
      assertThat(names(database)).containsExactly("a", "b", "c");
    }
  }

  @Test
  void refusesWorkOnceClosed() {
    Database database = Database.open(temp);
    database.close();
    database.close();

    assertThat(database.write(insert("a"))).isCompletedExceptionally();
    assertThatThrownBy(() -> names(database)).hasMessageContaining("closed");
  }

  @Test
  void makesItsFilesPrivate() throws IOException {
    Path folder = temp.resolve("new/data");
    try (Database database = Database.open(folder)) {
      database.write(insert("a")).join();

      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
          .isEqualTo("rwx------");
      for (String file : List.of("beckon.db", "beckon.db-wal", "beckon.db-shm")) {
        assertThat(
                PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
            .as(file)
            .isEqualTo("rw-------");
      }
    }
  }

  @Test
  void refusesASecondServerOfTheSameProcess() {
    try (Database first = Database.open(temp)) {
      assertThatThrownBy(() -> Database.open(temp))
          .isInstanceOf(StoreException.class)
          .hasMessage(
              "data: %s (in use by process %d; stop that server or choose another folder with"
                      .formatted(temp, ProcessHandle.current().pid())
                  + " --data)");
      assertThat(names(first)).isEmpty();
    }
    Database.open(temp).close();
  }

  @Test
  void refusesASecondServerUntilTheFirstProcessIsGone() throws Exception {
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "--enable-native-access=ALL-UNNAMED",
                Holder.class.getName(),
                temp.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = other.inputReader(StandardCharsets.UTF_8)) {
      String line = out.readLine();
      while (line != null && !line.equals("open")) {
        line = out.readLine();
      }

      assertThatThrownBy(() -> Database.open(temp))
          .isInstanceOf(StoreException.class)
          .hasMessageStartingWith("data: " + temp + " (in use by process " + other.pid() + ";");
      // The refused attempt must not have taken the lock away from its owner.
      assertThatThrownBy(() -> Database.open(temp)).hasMessageContaining("in use by process");
    } finally {
      other.destroyForcibly().waitFor();
    }

    Database.open(temp).close();
  }

  /** Opens the folder and stays. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws InterruptedException {
      Database.open(Path.of(args[0]));
      System.out.println("open");
      new CountDownLatch(1).await();
    }
  }

  @Test
  void saysThatTheFolderIsNotWritable() {
    // Mode bits do not stop root; the kernel's own folders stop everybody.
    Path folder = Path.of("/sys/kernel");
    assumeTrue(Files.isDirectory(folder), "needs Linux");

    assertThatThrownBy(() -> Database.open(folder))
        .isInstanceOf(StoreException.class)
        .message()
        .startsWith("data: /sys/kernel (not writable: ")
        .contains("--data");
    assertThatThrownBy(() -> Database.open(folder.resolve("beckon")))
        .isInstanceOf(StoreException.class)
        .message()
        .startsWith("data: /sys/kernel/beckon (not writable: ");
  }

  @Test
  void saysThatTheFolderIsAFile() throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "mine");

    assertThatThrownBy(() -> Database.open(file))
        .isInstanceOf(StoreException.class)
        .hasMessage("data: " + file + " (a file; expected a folder)");
    assertThat(file).hasContent("mine");
  }

  @Test
  void leavesADamagedDatabaseAsItIs() throws IOException {
    Path file = Files.writeString(temp.resolve("beckon.db"), "no database, ".repeat(1000));

    assertThatThrownBy(() -> Database.open(temp))
        .isInstanceOf(StoreException.class)
        .message()
        .startsWith(file + ": damaged: ")
        .contains("restore it from a backup");
    assertThat(file).hasContent("no database, ".repeat(1000));
  }

  @Test
  void refusesTablesOfANewerVersion() {
    try (Database database = Database.open(temp)) {
      database
          .write(
              sql ->
                  sql.update(
                      "INSERT INTO flyway_schema_history (installed_rank, version, description,"
                          + " type, script, checksum, installed_by, execution_time, success)"
                          + " VALUES (99, '99', 'later', 'SQL', 'V99__later.sql', 1, '', 1, 1)"))
          .join();
    }

    assertThatThrownBy(() -> Database.open(temp))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("its tables are not of this version of Beckon");
  }

  @Test
  void saysWhetherTheDiskTakesWrites() {
    try (Database database = Database.open(temp.resolve("full"))) {
      int pages =
          database
              .write(sql -> sql.first("PRAGMA page_count", row -> row.getInt(1)).orElseThrow())
              .join();
      database
          .write(sql -> sql.first("PRAGMA max_page_count = " + pages, row -> row.getInt(1)))
          .join();

      assertThat(
              database.write(
                  sql ->
                      sql.update(
                          "INSERT INTO settings (name, value) VALUES ('big', zeroblob(100000))")))
          .failsWithin(Duration.ofSeconds(9));
      assertThat(database.isWritable()).isFalse();
      assertThat(database.failures()).isPositive();
      database.probe();
      // Behind it, or together with it: then it is undone too.
      database.write(sql -> 0).handle((done, failure) -> 0).join();
      assertThat(database.isWritable()).as("still full").isFalse();

      database
          .write(sql -> sql.first("PRAGMA max_page_count = 1000000", row -> row.getInt(1)))
          .join();
      database.probe();
      database.write(sql -> 0).join();
      assertThat(database.isWritable()).isTrue();
    }
  }

  @Test
  void emptiesTheLog() throws Exception {
    try (Database database = Database.open(temp.resolve("log"))) {
      database
          .write(sql -> sql.update("INSERT INTO settings (name, value) VALUES ('a', 'hunter2')"))
          .join();
      database.write(sql -> sql.update("DELETE FROM settings WHERE name = 'a'")).join();

      assertThat(database.emptyLog().get(9, TimeUnit.SECONDS)).isTrue();

      for (String name : List.of("beckon.db", "beckon.db-wal")) {
        assertThat(Files.readString(temp.resolve("log").resolve(name), StandardCharsets.ISO_8859_1))
            .doesNotContain("hunter2");
      }
    }
  }
}
