package dev.beckon.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prints what grouping gains on this machine's disk. */
final class GroupCommitTest {

  private static final int ALONE = 200;
  private static final int TOGETHER = 10_000;

  @TempDir private Path temp;

  @Test
  void manyWritesAtOnceNeedFewCommits() {
    try (Database database = Database.open(temp)) {
      long start = System.nanoTime();
      for (int i = 0; i < ALONE; i++) {
        write(database, i).join();
      }
      double aloneSeconds = (System.nanoTime() - start) / 1e9;
      long aloneCommits = database.commits();

      start = System.nanoTime();
      List<CompletableFuture<Integer>> writes = new ArrayList<>();
      for (int i = 0; i < TOGETHER; i++) {
        writes.add(write(database, ALONE + i));
      }
      writes.forEach(CompletableFuture::join);
      double togetherSeconds = (System.nanoTime() - start) / 1e9;
      long togetherCommits = database.commits() - aloneCommits;

      System.out.printf(
          "group commit: one at a time %.0f writes/s, together %.0f writes/s (%d writes in %d"
              + " commits)%n",
          ALONE / aloneSeconds, TOGETHER / togetherSeconds, TOGETHER, togetherCommits);
      assertThat(aloneCommits).isEqualTo(ALONE);
      assertThat(togetherCommits).isLessThan(TOGETHER / 4);
    }
  }

  private static CompletableFuture<Integer> write(Database database, int n) {
    byte[] payload = new byte[200];
    return database.write(
        sql -> sql.update("INSERT INTO settings (name, value) VALUES (?, ?)", "n" + n, payload));
  }
}
