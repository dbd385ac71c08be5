package dev.beckon.cli;

import dev.beckon.cli.demo.Tethered;
import dev.beckon.lab.LabProcess;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A server of this command's own, in a process of its own. It ends with this process, however that
 * ends.
 */
final class ServerChild implements AutoCloseable {

  private static final Duration START_PATIENCE = Duration.ofSeconds(60);
  private static final Duration END_PATIENCE = Duration.ofSeconds(20);

  /** Ctrl-C is for this process: it ends the server when the report is made. Of util-linux. */
  private static final Path OWN_SESSION = Path.of("/usr/bin/setsid");

  private final Path data;
  private final LabProcess process;
  private final String ready;

  private ServerChild(Path data, LabProcess process, String ready) {
    this.data = data;
    this.process = process;
    this.ready = ready;
  }

  /**
   * Starts it on loopback, and waits until it takes traffic. It runs on the processors that the
   * calling thread may use.
   *
   * @param data its folder
   */
  static ServerChild start(Path data) {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(OWN_SESSION)) {
      command.add(OWN_SESSION.toString());
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // As this command was started itself, BECKON_JAVA_OPTS included.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> !argument.startsWith("-Dbeckon.terminals"))
        .forEach(command::add);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", classPath(), Tethered.class.getName(), Main.class.getName()));
    command.addAll(List.of("serve", "--data", data.toString()));
    for (String option : List.of("--udp", "--tls", "--http")) {
      command.addAll(List.of(option, "127.0.0.1:0"));
    }
    LabProcess process = LabProcess.start("server", command, _ -> {});
    try {
      String ready = process.await("ready", l -> l.startsWith("ready "), START_PATIENCE);
      return new ServerChild(data, process, ready);
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
  }

  private static String classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .reduce((a, b) -> a + File.pathSeparator + b)
        .orElseThrow();
  }

  /** Where it takes keepalives. */
  InetSocketAddress udp() {
    return address("udp");
  }

  /** Where devices dial. */
  InetSocketAddress tls() {
    return address("tls");
  }

  /** Its API. */
  InetSocketAddress http() {
    return address("http");
  }

  private InetSocketAddress address(String of) {
    String text = ready.replaceFirst(".* " + of + "=([^ ,]+).*", "$1");
    return SocketAddressText.parse(text).orElseThrow();
  }

  /** The token for its API. */
  String token() throws IOException {
    return Files.readString(data.resolve("admin.token")).strip();
  }

  long pid() {
    return process.handle().pid();
  }

  @Override
  public void close() {
    process.stop();
    try {
      process.awaitEnd(END_PATIENCE);
    } finally {
      process.close();
    }
  }
}
