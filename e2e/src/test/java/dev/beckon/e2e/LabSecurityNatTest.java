package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Nat;
import dev.beckon.lab.Topology;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The securities for labs, where they say that they are for: behind a router. */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@Timeout(300)
final class LabSecurityNatTest {

  private static final int INTERVAL_SECONDS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(50);

  @ParameterizedTest
  @ValueSource(strings = {"server", "none"})
  void anIdleDeviceBehindARouterIsReached(String security) {
    String settings = "security: %s\ninsecure: true\n".formatted(security);
    Topology topology = Topology.behind(Nat.SYMMETRIC).withDevices(2);
    try (World world = World.of(security, topology, "--security", security, "--insecure")) {
      AgentProcess push = world.agent(1, "kitchen", "push", INTERVAL_SECONDS, settings);
      AgentProcess inquiry = world.agent(2, "printer", "inquiry", INTERVAL_SECONDS, settings);

      for (AgentProcess agent : List.of(push, inquiry)) {
        agent.awaitIdle();
        String mapped = agent.awaitAnswer();
        JsonNode command = world.deliver(agent, "hello", PATIENCE);

        assertThat(command.path("state").asText())
            .as(command::toPrettyString)
            .isEqualTo("SUCCEEDED");
        JsonNode wake = World.events(command, "wake-sent").getFirst().path("details");
        assertThat(wake.path("mappedAddress").asText()).isEqualTo(mapped);
        assertThat(mapped).startsWith(world.router().address() + ":");
      }
    }
  }
}
