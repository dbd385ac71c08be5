package dev.beckon.e2e;

import dev.beckon.lab.Host;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.SocketState;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullMarked;

/** {@code agent} on a device of the lab. */
@NullMarked
final class AgentProcess {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String MAIN = "dev.beckon.agent.Main";
  private static final Pattern MAPPED = Pattern.compile(" mapped=(\\S+)");

  private final String device;
  private final Host host;
  private final LabProcess process;

  private AgentProcess(String device, Host host, LabProcess process) {
    this.device = device;
    this.host = host;
    this.process = process;
  }

  /** Enrolls the device on its host, for real. */
  static Path enroll(ServerProcess server, Host host, String device, Path folder) {
    Path data = folder.resolve(device);
    String code = server.add(device);
    try (LabProcess enroll =
        host.start(JavaCommand.of(MAIN, "enroll", code, "--data", data.toString()))) {
      if (enroll.awaitEnd(PATIENCE) != 0) {
        throw new IllegalStateException("enroll: " + enroll.lines());
      }
    }
    return data;
  }

  /** Runs an enrolled device. */
  static AgentProcess start(
      Host host, String device, Path folder, String delivery, int intervalSeconds) {
    LabProcess process =
        host.start(
            JavaCommand.of(
                MAIN,
                "agent",
                "--data",
                folder.resolve(device).toString(),
                "--delivery",
                delivery,
                "--interval",
                intervalSeconds + "s",
                "--lab"));
    return new AgentProcess(device, host, process);
  }

  String device() {
    return device;
  }

  Host host() {
    return host;
  }

  LabProcess process() {
    return process;
  }

  /** Waits for the next line with this word, from a position on. */
  String await(int position, String word) {
    return process.awaitFrom(position, word, line -> is(line, word), PATIENCE);
  }

  /** Waits until a keepalive sent from now on is answered; the mapped address in the answer. */
  String awaitAnswer() {
    return mapped(await(process.position(), "keepalive-answered"));
  }

  /** Waits until an answer has had that much silence behind it; the mapped address in it. */
  String awaitSilence(Duration silence) {
    int position = process.position();
    String line = await(position, "keepalive-answered");
    while (true) {
      position = process.lines().lastIndexOf(line) + 1;
      Optional<String> next =
          process.find(position, other -> is(other, "keepalive-answered"), silence);
      if (next.isEmpty()) {
        return mapped(line);
      }
      line = next.get();
    }
  }

  /** Waits until this many keepalives have been answered in all. */
  void awaitAnswers(int count) {
    int position = 0;
    for (int i = 0; i < count; i++) {
      int from = position;
      String line = await(from, "keepalive-answered");
      List<String> lines = process.lines();
      position = from + lines.subList(from, lines.size()).indexOf(line) + 1;
    }
  }

  /** Waits until it has answered keepalives and no session: idle. */
  void awaitIdle() {
    awaitAnswers(2);
    await(0, "session-closed");
  }

  /** Waits a while until its sessions have closed; whoever needs that certain looks again. */
  void awaitNoConnection() {
    for (int i = 0; i < 100; i++) {
      if (host.sockets().stream().noneMatch(SocketState::connection)) {
        return;
      }
      World.pass(Duration.ofMillis(100));
    }
  }

  private static boolean is(String line, String word) {
    String[] words = line.split(" ", 3);
    return words.length > 1 && words[1].equals(word);
  }

  /** The address of an address:port, whatever the way it is written. */
  static InetAddress address(String addressAndPort) {
    int colon = addressAndPort.lastIndexOf(':');
    return parse(addressAndPort.substring(0, colon));
  }

  static InetAddress address(Host host) {
    return parse(host.address());
  }

  private static InetAddress parse(String literal) {
    try {
      return InetAddress.getByName(literal);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  static String mapped(String line) {
    Matcher matcher = MAPPED.matcher(line);
    if (!matcher.find()) {
      throw new IllegalStateException("agent: " + line + " (expected mapped=…)");
    }
    return matcher.group(1);
  }
}
