package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabException;
import dev.beckon.lab.NatLab;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

  private static final Duration PATIENCE = Duration.ofSeconds(15);

  @Option(names = "--keep", description = "Leave it running, and say what to try next.")
  private boolean keep;

  @Option(names = "--json", description = "Print JSON, for programs.")
  private boolean json;

  /** For the command line. */
  public DemoCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    boolean terminal = System.console() != null && System.console().isTerminal();
    Screen screen =
        json
            ? new Screen(
                new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                false)
            : new Screen(out, terminal && System.getenv("NO_COLOR") == null);
    Path folder = Files.createTempDirectory("beckon-demo-");
    Optional<String> reason = NatLab.unavailableReason();
    screen.line(screen.paint().bold("beckon demo: a real server and two real devices"));
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
        keep(demo, network, folder, screen);
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
                  ? screen.paint().good("all commands succeeded")
                  : screen.paint().bad("not all commands succeeded"))
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

  private static void keep(Demo demo, DemoNetwork network, Path folder, Screen screen)
      throws IOException {
    try (Door door = Door.open(demo.http(), network, folder)) {
      screen.lines(
          TryNext.lines(Launcher.words(), door.url(), demo.token(), Demo.NAMES, screen.paint()));
      awaitInterrupt();
    }
  }

  /** Until Ctrl-C ends this JVM, and with it everything. */
  private static void awaitInterrupt() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A way from the user's shell to the API inside. */
  private record Door(String url, Optional<Relay> relay) implements AutoCloseable {

    static Door open(String http, DemoNetwork network, Path folder) throws IOException {
      if (!network.translates()) {
        return new Door("http://" + http, Optional.empty());
      }
      Path file = folder.resolve("api.sock");
      String host = http.substring(0, http.lastIndexOf(':'));
      String port = http.substring(http.lastIndexOf(':') + 1);
      network
          .onServer(JavaCommand.of(Relay.class.getName(), file.toString(), host, port), _ -> {})
          .await("relay", "relaying"::equals, PATIENCE);
      Relay relay = Relay.outside(file);
      return new Door("http://127.0.0.1:" + relay.port(), Optional.of(relay));
    }

    @Override
    public void close() throws IOException {
      if (relay.isPresent()) {
        relay.get().close();
      }
    }
  }

  /** How the user starts the command. */
  private static final class Launcher {

    static List<String> words() {
      Path here = Path.of("beckon");
      if (Files.isExecutable(here) && Files.isRegularFile(here)) {
        return List.of("./beckon");
      }
      // The launcher stands beside the folder of jars.
      Path jar = Path.of(System.getProperty("java.class.path").split(":")[0]).toAbsolutePath();
      Path beside = jar.resolve("../../beckon").normalize();
      return List.of(Files.isExecutable(beside) ? beside.toString() : "beckon");
    }
  }
}
