package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Direction;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Router;
import dev.beckon.lab.SocketState;
import dev.beckon.lab.Topology;
import dev.beckon.lab.Weather;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What has to work in every network, run by one subclass for each.
 *
 * <p>A world is shared by the tests of a class, which leave it as they found it. Mappings live 8 s;
 * kitchen (push) and printer (inquiry) send a keepalive every 3 s, cellar every 15 s, so that its
 * mapping dies in between.
 */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@TestInstance(Lifecycle.PER_CLASS)
@ExtendWith(KeepsEvidence.class)
abstract class NatContract implements KeepsEvidence.InAWorld {

  /** Of every mapping; {@link SecondKeepaliveTest} is about mappings of two classes. */
  private static final int LIFE_SECONDS = 8;

  private static final int SHORT_INTERVAL_SECONDS = 3;
  private static final int LONG_INTERVAL_SECONDS = 15;

  /** For what takes a few round trips, on a machine that is busy with other labs. */
  private static final Duration AT_ONCE = Duration.ofSeconds(3);

  private static final Duration PATIENCE = Duration.ofSeconds(50);

  private final Network network;
  private World world;
  private AgentProcess kitchen;
  private AgentProcess printer;
  private AgentProcess cellar;

  /** What a network does to datagrams, as far as devices notice. */
  record Network(Topology topology, boolean translates, boolean forgets, boolean openToAll) {}

  @SuppressWarnings("NullAway.Init")
  NatContract(Network network) {
    this.network = network;
  }

  @Override
  public World world() {
    return world;
  }

  @BeforeAll
  void start() {
    world =
        World.of(
            getClass().getSimpleName(),
            network.topology().withDevices(3).withTimers(LIFE_SECONDS, LIFE_SECONDS));
    cellar = world.agent(3, "cellar", "push", LONG_INTERVAL_SECONDS);
    kitchen = world.agent(1, "kitchen", "push", SHORT_INTERVAL_SECONDS);
    printer = world.agent(2, "printer", "inquiry", SHORT_INTERVAL_SECONDS);
    Stream.of(kitchen, printer, cellar).forEach(AgentProcess::awaitIdle);
  }

  @AfterAll
  void end() {
    world.close();
  }

  @Test
  void processesRunInDifferentNamespaces() {
    List<String> namespaces =
        Stream.of(
                kitchen.process(),
                printer.process(),
                world.server().process(),
                LabProcess.start("here", List.of("sleep", "5"), _ -> {}))
            .map(LabProcess::networkNamespace)
            .toList();

    assertThat(namespaces).hasSize(4).doesNotHaveDuplicates().allMatch(n -> n.startsWith("net:["));
  }

  @Test
  void anIdleDeviceListensNowhereAndHoldsNoConnection() {
    kitchen.awaitAnswer();
    for (AgentProcess agent : List.of(kitchen, printer)) {
      agent.awaitNoConnection();
      assertThat(agent.host().sockets())
          .as("sockets of %s", agent.device())
          .extracting(SocketState::protocol)
          .containsExactly("udp");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"kitchen", "printer"})
  void anIdleDeviceIsReachedAtOnce(String device) {
    AgentProcess agent = device.equals("kitchen") ? kitchen : printer;
    agent.awaitNoConnection();
    String mapped = agent.awaitAnswer();

    JsonNode command = world.deliver(agent, "hello", PATIENCE);

    assertSucceeded(command, "hello");
    assertThat(World.until(command, "started")).isLessThan(AT_ONCE);
    JsonNode wake = World.events(command, "wake-sent").getFirst().path("details");
    assertThat(wake.path("mappedAddress").asText()).isEqualTo(mapped);
    if (network.translates()) {
      assertThat(mapped).doesNotStartWith(agent.host().address() + ":");
      assertThat(mapped).startsWith(world.lab().routers().getLast().address() + ":");
    } else {
      assertThat(AgentProcess.address(mapped)).isEqualTo(AgentProcess.address(agent.host()));
    }
  }

  @Test
  void twoDevicesBehindOneRouterAreReachedEachByItsOwnMapping() {
    String first = world.server().echo("kitchen", "for the kitchen");
    String second = world.server().echo("printer", "for the printer");

    assertSucceeded(world.awaitEnd(first, PATIENCE), "for the kitchen");
    assertSucceeded(world.awaitEnd(second, PATIENCE), "for the printer");
    assertThat(kitchen.awaitAnswer()).isNotEqualTo(printer.awaitAnswer());
  }

  @Test
  void aWakeJustInsideTheMappingsLifeArrives() {
    cellar.awaitNoConnection();
    cellar.awaitSilence(Duration.ofMillis(LIFE_SECONDS * 1000L - 1_500));

    JsonNode command = world.deliver(cellar, "just in time", PATIENCE);

    assertSucceeded(command, "just in time");
    assertThat(World.until(command, "session-opened")).isLessThan(AT_ONCE);
  }

  @Test
  void aWakeAfterTheMappingsLifeArrivesWithTheNextKeepalive() {
    cellar.awaitNoConnection();
    String before = cellar.awaitSilence(Duration.ofSeconds(LIFE_SECONDS + 1));

    JsonNode command = world.deliver(cellar, "late", PATIENCE);

    assertSucceeded(command, "late");
    if (network.forgets()) {
      assertThat(World.until(command, "session-opened"))
          .isBetween(AT_ONCE, Duration.ofSeconds(LONG_INTERVAL_SECONDS));
      assertThat(World.events(command, "wake-sent")).hasSizeGreaterThan(1);
      JsonNode first = World.events(command, "wake-sent").getFirst().path("details");
      assertThat(first.path("mappedAddress").asText()).isEqualTo(before);
    } else {
      assertThat(World.until(command, "session-opened")).isLessThan(AT_ONCE);
    }
  }

  @Test
  void aRebootOfTheRouterDelaysACommandByOneIntervalAtMost() {
    kitchen.awaitNoConnection();
    String before = kitchen.awaitAnswer();
    world.router().reboot();

    JsonNode command = world.deliver(kitchen, "after the reboot", PATIENCE);

    assertSucceeded(command, "after the reboot");
    assertThat(World.until(command, "session-opened"))
        .isLessThan(Duration.ofSeconds(SHORT_INTERVAL_SECONDS).plus(AT_ONCE));
    JsonNode first = World.events(command, "wake-sent").getFirst().path("details");
    assertThat(first.path("mappedAddress").asText()).isEqualTo(before);
    if (network.forgets()) {
      assertThat(World.events(command, "wake-sent")).hasSizeGreaterThan(1);
    }
  }

  @Test
  void onlyTheAddressAndPortThatWereAskedCanWake(
      @org.junit.jupiter.api.io.TempDir Path recordings) {
    kitchen.awaitNoConnection();
    Path pcap = recordings.resolve("kitchen.pcap");
    String mapped = kitchen.awaitAnswer();
    List<String> addresses = world.lab().server().addresses();
    try (LabProcess capture = kitchen.host().capture(pcap)) {
      for (String from : List.of(addresses.get(0) + " 3479", addresses.get(1) + " 3479")) {
        String[] source = from.split(" ");
        world
            .lab()
            .server()
            .start(
                JavaCommand.of(
                    ForeignWake.class.getName(),
                    world.folder().resolve("kitchen").toString(),
                    mapped,
                    source[0],
                    source[1]))
            .awaitEnd(PATIENCE);
      }
      assertSucceeded(world.deliver(kitchen, "the right way", PATIENCE), "the right way");
      capture.stop();
      capture.awaitEnd(PATIENCE);
    }

    List<String> arrived = world.lab().server().run("tcpdump", "-n", "-r", pcap.toString(), "udp");
    String right = addresses.get(0) + "." + ServerProcess.UDP_PORT;
    assertThat(arrived).anyMatch(line -> line.contains(" " + right + " > "));
    if (network.openToAll()) {
      assertThat(arrived).anyMatch(line -> line.contains(".3479 > "));
    } else {
      assertThat(arrived).noneMatch(line -> line.contains(".3479 > "));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 30})
  void everyCommandArrivesOnceThoughPacketsGetLost(int percent) {
    kitchen.awaitNoConnection();
    Router router = world.lab().routers().getLast();
    Weather weather = Weather.losing(percent / 100.0);
    router.weather(Direction.UP, weather);
    router.weather(Direction.DOWN, weather);
    try {
      List<String> ids =
          IntStream.range(0, 3).mapToObj(i -> world.server().echo("kitchen", "n" + i)).toList();

      for (int i = 0; i < ids.size(); i++) {
        assertSucceeded(world.awaitEnd(ids.get(i), PATIENCE), "n" + i);
      }
    } finally {
      router.weather(Direction.UP, Weather.losing(0));
      router.weather(Direction.DOWN, Weather.losing(0));
    }
    kitchen.awaitAnswer();
  }

  @Test
  void everyCommandRunsOnceThoughDatagramsAreDoubledAndDamaged() {
    kitchen.awaitNoConnection();
    Router router = world.lab().routers().getLast();
    Weather weather = new Weather(0, 1, 0.3, true);
    router.weather(Direction.UP, weather);
    router.weather(Direction.DOWN, weather);
    try {
      int position = kitchen.process().position();
      JsonNode command = world.deliver(kitchen, "once", PATIENCE);

      assertSucceeded(command, "once");
      String running = "command " + command.path("id").asText() + " RUNNING";
      List<String> lines = kitchen.process().lines();
      assertThat(lines.subList(position, lines.size()))
          .filteredOn(line -> line.contains(running))
          .hasSize(1);
    } finally {
      router.weather(Direction.UP, Weather.losing(0));
      router.weather(Direction.DOWN, Weather.losing(0));
    }
    kitchen.awaitAnswer();
  }

  private static void assertSucceeded(JsonNode command, String text) {
    assertThat(command.path("state").asText()).as(command::toPrettyString).isEqualTo("SUCCEEDED");
    assertThat(command.path("result").path("text").asText()).isEqualTo(text);
  }
}
