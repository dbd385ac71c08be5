package dev.beckon.server.registrar.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.RowTable;
import dev.beckon.server.store.StoreException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A full disk is an error that is told, never a crash: in a process that sees a tiny disk. */
@Timeout(120)
class FullDiskTest {
  @TempDir private Path folder;

  @Test
  void noRoomForATableIsToldAtTheStart() throws Exception {
    assertThat(onADiskOf("2m")).contains("no table could be made in").contains("free some space");
  }

  @Test
  void aTableThatCannotGrowKeepsItsRows() throws Exception {
    String output = onADiskOf("9m");

    assertThat(output).contains("the table cannot grow").contains("free some space on the disk");
    assertThat(output).contains("lost 0 torn 0", "dropping", "again lost 0 torn 0");
  }

  private String onADiskOf(String size) throws Exception {
    assumeTrue(
        new ProcessBuilder("unshare", "--map-root-user", "--mount", "true").start().waitFor() == 0,
        "needs mount namespaces (unshare --map-root-user --mount)");
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs -o size=" + size + " tmpfs " + folder + " && exec \"$@\"",
                "sh"));
    command.addAll(SurvivesKillTest.javaCommand(Filler.class));
    command.add(folder.resolve("bindings").toString());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  /** Adds rows until some are dropped, changes all that are there, and opens the table again. */
  static final class Filler {
    private Filler() {}

    public static void main(String[] args) {
      Path folder = Path.of(args[0]);
      long kept = 0;
      try (BindingFiles files = BindingFiles.open(folder, BindingFilesTest.KEY)) {
        RowTable table = files.table();
        Random random = new Random(1);
        Binding row = new Binding();
        while (table.dropped() < 1000) {
          row.tag = random.nextLong();
          row.sequence = 1;
          table.write(row);
          kept++;
        }
        System.out.println("dropping after " + table.size());
        random = new Random(1);
        long there = 0;
        for (long i = 0; i < kept; i++) {
          row.tag = random.nextLong();
          if (table.read(row.tag, row)) {
            there++;
            row.sequence = 2;
            table.write(row);
          }
        }
        System.out.println("lost " + (table.size() - there) + " torn " + table.torn());
      } catch (StoreException e) {
        System.out.println(e.getMessage());
        return;
      }
      try (BindingFiles files = BindingFiles.open(folder, BindingFilesTest.KEY)) {
        Random random = new Random(1);
        Binding row = new Binding();
        long there = 0;
        for (long i = 0; i < kept; i++) {
          long tag = random.nextLong();
          there += files.table().read(tag, row) && row.sequence == 2 ? 1 : 0;
        }
        System.out.println(
            "again lost " + (files.table().size() - there) + " torn " + files.table().torn());
      }
    }
  }
}
