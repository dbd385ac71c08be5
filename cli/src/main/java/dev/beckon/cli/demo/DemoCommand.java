package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.lab.LabException;
import dev.beckon.lab.NatLab;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows on this machine what Beckon does. */
@Command(
    name = "demo",
    description = {
      "Show a command reaching devices behind a NAT, on this machine alone.",
      "Runs a real server and two real devices in network namespaces, with the kernel's NAT between"
          + " them; needs no privileges on most systems, and leaves nothing behind. Where no"
          + " namespaces can be made it runs them on loopback, without a NAT."
    },
    exitCodeList = {"0:every command succeeded", "1:something did not"})
public final class DemoCommand implements Callable<Integer> {

  @Option(names = "--keep", description = "Leave it running, and say what to try next.")
  private boolean keep;

  @Option(names = "--json", description = "Print JSON, for programs.")
  private boolean json;

  /** For the command line. */
  public DemoCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // The launcher knows; the JDK can tell only for input and output together.
    boolean terminal = System.getProperty("beckon.terminals", "").contains("out");
    Screen screen =
        json
            ? new Screen(
                new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                false)
            : new Screen(out, terminal && System.getenv("NO_COLOR") == null);
    Path folder = Files.createTempDirectory("beckon-demo-");
    Optional<String> reason = NatLab.unavailableReason();
    screen.line(screen.ink().bold("beckon demo: a real server and two real devices"));
    reason.ifPresent(r -> screen.line("  without a NAT: " + r));
    screen.line("");
    try (DemoNetwork network =
        reason.isEmpty() ? new NatNetwork(folder) : new LocalNetwork(folder)) {
      Demo demo = new Demo(network, folder, screen);
      boolean succeeded = play(demo, screen);
      if (json) {
        out.println(report(demo, network, screen, succeeded).toPrettyString());
      }
      if (keep && succeeded) {
        keep(demo, screen);
      }
      return succeeded ? 0 : 1;
    }
  }

  private static boolean play(Demo demo, Screen screen) {
    try {
      boolean succeeded = demo.play();
      screen.line("");
      screen.line(
          (succeeded
                  ? screen.ink().good("all commands succeeded")
                  : screen.ink().bad("not all commands succeeded"))
              + " after "
              + screen.elapsed());
      return succeeded;
    } catch (DemoException | LabException e) {
      System.err.println("beckon: demo: " + e.getMessage());
      return false;
    }
  }

  private static ObjectNode report(
      Demo demo, DemoNetwork network, Screen screen, boolean succeeded) {
    ObjectNode report = new ObjectMapper().createObjectNode();
    report.put("succeeded", succeeded);
    report.put("nat", network.translates());
    report.put("seconds", screen.seconds());
    report.set("commands", demo.commands());
    return report;
  }

  private static void keep(Demo demo, Screen screen) {
    screen.lines(
        TryNext.lines(
            Launcher.word(),
            "http://" + demo.apiAddress(),
            demo.tokenFile(),
            Demo.NAMES,
            screen.ink()));
    awaitInterrupt();
  }

  /** Until Ctrl-C ends this JVM, and with it everything. */
  private static void awaitInterrupt() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** How the user starts the command. */
  private static final class Launcher {

    static String word() {
      Path here = Path.of("beckon");
      if (Files.isExecutable(here) && Files.isRegularFile(here)) {
        return "./beckon";
      }
      // The launcher stands beside the folder of jars.
      Path jar = Path.of(System.getProperty("java.class.path").split(":")[0]).toAbsolutePath();
      Path beside = jar.resolve("../../beckon").normalize();
      return Files.isExecutable(beside) ? beside.toString() : "beckon";
    }
  }
}
