package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Host;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import dev.beckon.lab.Nat;
import dev.beckon.lab.Topology;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Why a device sends a keepalive 3 s after its first answer: Linux lets a mapping live long only
 * once answered traffic has passed for more than two seconds.
 */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@Execution(ExecutionMode.CONCURRENT)
final class SecondKeepaliveTest {

  private static final int SHORT_SECONDS = 5;
  private static final int LONG_SECONDS = 60;
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  @Test
  void withoutItTheMappingDiesAtTheShortTimer() {
    Topology topology =
        Topology.behind(Nat.PORT_PRESERVING).withDevices(2).withTimers(SHORT_SECONDS, LONG_SECONDS);
    try (World world = World.of("SecondKeepaliveTest", topology)) {
      AgentProcess kitchen = world.agent(1, "kitchen", "push", 30);
      LabProcess attic = bareDevice(world, world.lab().device(2));

      kitchen.awaitAnswers(3);
      kitchen.await(0, "session-closed");
      World.pass(Duration.ofSeconds(SHORT_SECONDS + 3));

      assertThat(secondsLeft(world, world.lab().device(1))).isGreaterThan(SHORT_SECONDS);
      assertThat(secondsLeft(world, world.lab().device(2))).isZero();
      JsonNode reached = world.deliver(kitchen, "hello", PATIENCE);
      assertThat(reached.path("state").asText()).isEqualTo("SUCCEEDED");
      assertThat(World.events(reached, "wake-sent")).hasSize(1);

      String lost = world.server().echo("attic", "hello");
      World.pass(Duration.ofSeconds(2));
      assertThat(World.events(world.server().command(lost), "wake-sent")).isNotEmpty();
      assertThat(attic.lines()).noneMatch(line -> line.equals("received Wake"));
    }
  }

  @Test
  void theShortTimerIsWhatASingleExchangeGets() {
    Topology topology = Topology.behind(Nat.SYMMETRIC).withTimers(SHORT_SECONDS, LONG_SECONDS);
    try (World world = World.of("SecondKeepaliveTest", topology)) {
      LabProcess attic = bareDevice(world, world.lab().device());

      assertThat(secondsLeft(world, world.lab().device())).isBetween(0, SHORT_SECONDS);
      String early = world.server().echo("attic", "hello");
      attic.await("wake", "received Wake"::equals, PATIENCE);
      assertThat(world.server().command(early).path("state").asText()).isEqualTo("QUEUED");
    }
  }

  private static LabProcess bareDevice(World world, Host host) {
    Path data = AgentProcess.enroll(world.server(), host, "attic", world.folder());
    LabProcess attic = host.start(JavaCommand.of(BareDevice.class.getName(), data.toString()));
    attic.await("known", "known unproven=false"::equals, PATIENCE);
    return attic;
  }

  private static int secondsLeft(World world, Host device) {
    return world.router().mappings().stream()
        .filter(m -> m.protocol().equals("udp") && m.inner().startsWith(device.address() + ":"))
        .mapToInt(Mapping::secondsLeft)
        .max()
        .orElse(0);
  }
}
