package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Topology;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * What somebody on the way reads of a command: the recording of a real device and a real server.
 */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@Execution(ExecutionMode.CONCURRENT)
final class EavesdropperTest {

  private static final String TEXT = "the-oven-is-hot-4711";
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  @Test
  void readsTheIdInKeepalivesButNeitherCommandNorResult() throws IOException {
    try (World world = World.of("EavesdropperTest", Topology.withoutNat())) {
      AgentProcess kitchen = world.agent(1, "kitchen", "push", 15);
      kitchen.awaitAnswers(1);

      JsonNode command = world.deliver(kitchen, TEXT, PATIENCE);

      assertThat(command.path("result").path("text").asText()).isEqualTo(TEXT);
      String way = recordedTo(world, world.lab().device().address());
      assertThat(way.contains("kitchen")).as("the ID in keepalives").isTrue();
      assertThat(way.contains(TEXT)).as("the text, in command or result").isFalse();
      assertThat(way.contains("echo")).as("the action").isFalse();
      String everything = Files.readString(world.recording(), StandardCharsets.ISO_8859_1);
      assertThat(everything.contains(TEXT)).as("the text, on the loopback of the API").isTrue();
    }
  }

  /** The packets to and from an address, as they were on the wire. */
  private static String recordedTo(World world, String address) throws IOException {
    Path file = world.folder().resolve("way.pcap");
    world
        .lab()
        .server()
        .run("tcpdump", "-r", world.recording().toString(), "-w", file.toString(), "host", address);
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }
}
