package dev.beckon.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NullMarked
@RequiresNamespaces
final class LabEndTest {

  /** Builds a lab with a process in it, says which, and stays. */
  static final class Owner {

    public static void main(String[] args) {
      NatLab lab = NatLab.start(Topology.behind(Nat.SYMMETRIC), Path.of(args[0]));
      System.out.println("pid " + NatLabTest.sleeper(lab.device()).handle().pid());
    }
  }

  @Test
  void leavesNothingBehindWhenTheJvmIsKilled(@TempDir Path folder) throws Exception {
    Path scratch = Files.createDirectory(folder.resolve("scratch"));
    Files.writeString(scratch.resolve("file"), "content");
    LabProcess owner =
        LabProcess.start(
            "owner", JavaCommand.of(Owner.class.getName(), scratch.toString()), _ -> {});
    String line = owner.await("pid", l -> l.startsWith("pid "), Duration.ofSeconds(20));
    ProcessHandle inside = ProcessHandle.of(Long.parseLong(line.substring(4))).orElseThrow();
    ProcessHandle anchor =
        owner
            .handle()
            .descendants()
            .filter(p -> p.info().command().orElse("").endsWith("/unshare"))
            .findFirst()
            .orElseThrow();
    assertThat(inside.isAlive()).isTrue();

    owner.kill();

    anchor.onExit().get(10, TimeUnit.SECONDS);
    inside.onExit().get(10, TimeUnit.SECONDS);
    assertThat(scratch).doesNotExist();
  }

  @Test
  void endsItsProcessesWhenItIsClosed() throws Exception {
    NatLab lab = NatLab.start(Topology.behind(Nat.SYMMETRIC));
    ProcessHandle inside = NatLabTest.sleeper(lab.device()).handle();

    lab.close();

    inside.onExit().get(10, TimeUnit.SECONDS);
    assertThat(inside.isAlive()).isFalse();
  }
}
