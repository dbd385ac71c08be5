package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Host;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A device that knows its server by name, with the system's resolver and a real name server. */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@Execution(ExecutionMode.CONCURRENT)
final class DnsTest {
  private static final String NAME = "server.example";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Shorter than the 30 s for which the JDK would keep an address by itself. */
  private static final Duration SOON = Duration.ofSeconds(20);

  @Test
  void followsDnsAndDoesWithoutItWhileItIsDown() throws IOException {
    try (World world = World.of("DnsTest", Topology.withoutNat(), "--advertise", NAME)) {
      Host server = world.lab().server();
      Path zone = world.folder().resolve("zone");
      Path resolver = world.folder().resolve("resolv.conf");
      Files.writeString(
          resolver, "nameserver " + server.addresses().get(1) + "\noptions timeout:1 attempts:1\n");
      point(zone, server.addresses().get(0));
      LabProcess dns = dns(world, zone);
      run(world, resolver, "enroll", world.server().add("kitchen")).awaitEnd(PATIENCE);

      // Only the first address takes sessions; datagrams go to both.
      point(zone, server.addresses().get(1));
      LabProcess agent = run(world, resolver, "agent", "--interval", "3s", "--lab");
      agent.await("a failed dial", line -> line.contains(" dial-failed "), PATIENCE);
      point(zone, server.addresses().get(0));
      agent.await("a session", line -> line.contains(" session-opened "), SOON);
      JsonNode reached = echo(world);
      assertThat(reached.path("state").asText()).isEqualTo("SUCCEEDED");
      assertThat(note(reached)).isEmpty();

      dns.stop();
      reached = echo(world);
      assertThat(reached.path("state").asText()).isEqualTo("SUCCEEDED");
      String note = "host server.example: cannot be resolved; used " + server.address() + " of 2";
      assertThat(note(reached)).startsWith(note);

      agent.stop();
      agent.awaitEnd(PATIENCE);
      agent = run(world, resolver, "agent", "--interval", "3s", "--lab");
      agent.await("an answer", line -> line.contains(" keepalive-answered "), PATIENCE);
      reached = echo(world);
      assertThat(reached.path("state").asText()).isEqualTo("SUCCEEDED");
      assertThat(note(reached)).as("known across a restart").startsWith(note);
    }
  }

  private static JsonNode echo(World world) {
    // Each in a session of its own, so that the server is looked up anew.
    World.pass(Duration.ofSeconds(6));
    return world.awaitEnd(world.server().echo("kitchen", "hello"), PATIENCE);
  }

  private static String note(JsonNode command) {
    return World.events(command, "delivered").getFirst().path("details").path("note").asText();
  }

  private static void point(Path zone, String address) throws IOException {
    Files.writeString(zone, NAME + " " + address + "\n");
  }

  private static LabProcess dns(World world, Path zone) {
    Host host = world.lab().server();
    LabProcess dns =
        host.start(
            JavaCommand.of(SmallDns.class.getName(), host.addresses().get(1), zone.toString()));
    dns.await("ready", "ready"::equals, PATIENCE);
    return dns;
  }

  /** Runs the agent's program with a resolv.conf of its own. */
  private static LabProcess run(World world, Path resolver, String... arguments) {
    List<String> words = new ArrayList<>(List.of(arguments));
    words.addAll(List.of("--data", world.folder().resolve("kitchen").toString()));
    List<String> command =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"",
                resolver.toString()));
    command.addAll(JavaCommand.of("dev.beckon.agent.Main", words));
    return world.lab().device(1).start(command);
  }
}
