package dev.beckon.lab;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** A machine of the lab: one network namespace with its addresses. */
public class Host {

  private static final Duration COMMAND_TIME = Duration.ofSeconds(10);

  private final String name;
  private final List<String> addresses;
  private final List<String> enter;

  Host(String name, List<String> addresses, List<String> enter) {
    this.name = name;
    this.addresses = List.copyOf(addresses);
    List<String> words = new ArrayList<>(enter);
    words.addAll(List.of("ip", "netns", "exec", name));
    this.enter = List.copyOf(words);
  }

  /** Its name in the lab, such as {@code device1}. */
  public String name() {
    return name;
  }

  /** Its first address. */
  public String address() {
    return addresses.getFirst();
  }

  /** All its addresses. */
  public List<String> addresses() {
    return addresses;
  }

  /**
   * Starts a program on this host. Paths in the command must be absolute: the program starts in the
   * root folder.
   */
  public LabProcess start(List<String> command) {
    return start(command, _ -> {});
  }

  /** As {@link #start(List)}, with every line passed on as well. */
  public LabProcess start(List<String> command, Consumer<String> onLine) {
    List<String> words = new ArrayList<>(enter);
    words.addAll(command);
    return LabProcess.start(name, words, onLine);
  }

  /**
   * Runs a short program on this host; the lines it printed.
   *
   * @throws LabException if it fails
   */
  public List<String> run(String... command) {
    try (LabProcess process = start(List.of(command))) {
      int exitCode = process.awaitEnd(COMMAND_TIME);
      if (exitCode != 0) {
        throw new LabException(
            "%s: %s ended with %d:\n  %s"
                .formatted(
                    name,
                    String.join(" ", command),
                    exitCode,
                    String.join("\n  ", process.lines())));
      }
      return process.lines();
    }
  }

  /**
   * Opens a way from outside to a TCP port of this host's loopback.
   *
   * @param folder a short path; takes a socket file
   */
  public Door door(int port, Path folder) {
    return Door.open(this, new InetSocketAddress("127.0.0.1", port), folder);
  }

  /** The TCP and UDP sockets that exist on this host now. */
  public List<SocketState> sockets() {
    return run("ss", "-Htuna").stream().map(SocketState::parse).toList();
  }

  /**
   * Records all traffic of this host to a pcap file until the process is stopped.
   *
   * <p>Returns once packets are being recorded.
   */
  public LabProcess capture(Path pcap) {
    LabProcess capture =
        start(
            List.of(
                "tcpdump",
                // Each packet is in the file at once: the capture may be cut off.
                "--immediate-mode",
                "-U",
                "-n",
                "-Z",
                "root",
                "-i",
                "any",
                "-w",
                pcap.toAbsolutePath().toString()));
    capture.await(
        "listening", l -> l.toLowerCase(Locale.ROOT).contains("listening on"), COMMAND_TIME);
    return capture;
  }
}
