package dev.beckon.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Host;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.NatLab;
import dev.beckon.lab.Router;
import dev.beckon.lab.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.NullMarked;

/**
 * A lab with a server and agents in it: real processes, the real API.
 *
 * <p>All traffic of the server's host is recorded. When a test failed, the recording, the routers'
 * tables and what the processes said are kept under {@code target/nat-lab}.
 */
@NullMarked
final class World implements AutoCloseable {

  private static final Set<String> UNENDED = Set.of("QUEUED", "DELIVERED", "RUNNING");
  private static final long POLL_MILLIS = 50;

  private final String name;
  private final Path folder;
  private final NatLab lab;
  private final LabProcess recording;
  private final ServerProcess server;
  private final List<AgentProcess> agents = new ArrayList<>();
  private final Map<String, ServerProcess> enrolledServers = new ConcurrentHashMap<>();

  private World(String name, Topology topology, String... serverOptions) {
    this.name = name;
    try {
      folder = Files.createTempDirectory("beckon-e2e-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    lab = NatLab.start(topology, folder);
    try {
      recording = lab.server().capture(folder.resolve("server.pcap"));
      server = ServerProcess.start(lab.server(), folder, serverOptions);
    } catch (RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  /** A world with a running server and no agents yet. */
  static World of(String name, Topology topology, String... serverOptions) {
    return new World(name, topology, serverOptions);
  }

  /** Enrolls and starts an agent on the lab's n-th device. */
  AgentProcess agent(int number, String device, String delivery, int intervalSeconds) {
    return agent(number, device, delivery, intervalSeconds, "");
  }

  /** As above, with an agent.yaml. */
  AgentProcess agent(
      int number, String device, String delivery, int intervalSeconds, String actions) {
    Host host = lab.device(number);
    Path data = AgentProcess.enroll(server, host, device, folder);
    try {
      Files.writeString(data.resolve("agent.yaml"), actions);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    AgentProcess agent = AgentProcess.start(host, device, folder, delivery, intervalSeconds);
    agents.add(agent);
    return agent;
  }

  NatLab lab() {
    return lab;
  }

  Router router() {
    return lab.router();
  }

  ServerProcess server() {
    return server;
  }

  /** Everybody's files. */
  Path folder() {
    return folder;
  }

  /** All traffic of the server's host so far. */
  Path recording() {
    return folder.resolve("server.pcap");
  }

  /** Adds and starts an enrolled server on the lab's n-th host; it is ready when this returns. */
  ServerProcess enrolledServer(int hostNumber, int number, String name, String role) {
    Host host = lab.server(hostNumber);
    String code = server.addServer(number, name, host.address());
    String tls = ServerProcess.at(host.address(), ServerProcess.TLS_PORT);
    List<String> options = List.of("--role", role, "--enroll", code, "--tls", tls);
    ServerProcess enrolled = ServerProcess.start(host, folder.resolve(name), options);
    enrolledServers.put(name, enrolled);
    return enrolled;
  }

  /** Sends an echo command and waits for its end. */
  JsonNode deliver(AgentProcess agent, String text, Duration within) {
    return awaitEnd(server.echo(agent.device(), text), within);
  }

  /** Waits for the end of a command of the first server's. */
  JsonNode awaitEnd(String id, Duration within) {
    return awaitEnd(server, id, within);
  }

  /** Waits for a command's end. */
  static JsonNode awaitEnd(ServerProcess at, String id, Duration within) {
    return await(at, id, command -> !UNENDED.contains(command.path("state").asText()), within);
  }

  /** Waits until a command is as wanted. */
  static JsonNode await(ServerProcess at, String id, Predicate<JsonNode> wanted, Duration within) {
    Instant deadline = Instant.now().plus(within);
    while (true) {
      JsonNode command = at.command(id);
      if (wanted.test(command)) {
        return command;
      }
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError("not so within " + within + ": " + command.toPrettyString());
      }
      pass(Duration.ofMillis(POLL_MILLIS));
    }
  }

  /** The entries of a command's timeline with this event. */
  static List<JsonNode> events(JsonNode command, String event) {
    return StreamSupport.stream(command.path("timeline").spliterator(), false)
        .filter(entry -> entry.path("event").asText().equals(event))
        .toList();
  }

  /** Time from a command's acceptance to the first such event. */
  static Duration until(JsonNode command, String event) {
    Instant at = Instant.parse(events(command, event).getFirst().path("at").asText());
    return Duration.between(Instant.parse(command.path("acceptedAt").asText()), at);
  }

  /** Lets real time pass: the kernel's timers know no other. */
  static void pass(Duration time) {
    CompletableFuture.runAsync(
            () -> {}, CompletableFuture.delayedExecutor(time.toMillis(), TimeUnit.MILLISECONDS))
        .join();
  }

  /** Keeps what explains a failure; says where. */
  void keep(String test) {
    Path kept = Path.of("target", "nat-lab", name + "-" + test.replaceAll("\\W+", "-"));
    try {
      Files.createDirectories(kept);
      Files.copy(
          recording(),
          kept.resolve("server.pcap"),
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      for (Router router : lab.routers()) {
        write(
            kept.resolve(router.name() + ".conntrack"),
            router.mappings().stream().map(Object::toString));
      }
      write(kept.resolve("server.log"), server.process().lines().stream());
      for (Map.Entry<String, ServerProcess> each : enrolledServers.entrySet()) {
        write(kept.resolve(each.getKey() + ".log"), each.getValue().process().lines().stream());
      }
      for (AgentProcess agent : agents) {
        write(kept.resolve(agent.device() + ".log"), agent.process().lines().stream());
      }
      System.err.println("kept for " + name + ": " + kept.toAbsolutePath());
    } catch (IOException | RuntimeException e) {
      System.err.println("kept for " + name + ": incomplete: " + e);
    }
  }

  private static void write(Path file, Stream<String> lines) throws IOException {
    Files.write(file, lines.toList());
  }

  @Override
  public void close() {
    recording.close();
    lab.close();
  }
}
