package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.lab.Nat;
import dev.beckon.lab.Topology;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The roles on hosts of their own: a rendezvous server, an application server and a directory
 * server, and a device behind a symmetric NAT.
 */
@NullMarked
@Tag("nat")
@RequiresNamespaces
@TestInstance(Lifecycle.PER_CLASS)
@ExtendWith(KeepsEvidence.class)
final class RolesTest implements KeepsEvidence.InAWorld {

  private static final int PRINTING = 7;
  private static final int DIRECTORY = 65_535;
  private static final int INTERVAL_SECONDS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** What is promised to whoever revokes a device. */
  private static final Duration SHUT_OUT_WITHIN = Duration.ofSeconds(5);

  private World world;
  private ServerProcess printing;
  private AgentProcess kitchen;
  private String printingAddress;

  @SuppressWarnings("NullAway.Init")
  RolesTest() {}

  @Override
  public World world() {
    return world;
  }

  @BeforeAll
  void start() {
    world = World.of("RolesTest", Topology.behind(Nat.SYMMETRIC).withDevices(2).withServers(3));
    // Before there is a list: every one that follows has to reach it.
    kitchen = world.agent(1, "kitchen", "push", INTERVAL_SECONDS);
    CompletableFuture<ServerProcess> directory =
        CompletableFuture.supplyAsync(
            () -> world.enrolledServer(3, DIRECTORY, "directory", "directory"));
    CompletableFuture<ServerProcess> delivery =
        CompletableFuture.supplyAsync(
            () -> world.enrolledServer(2, PRINTING, "printing", "delivery"));
    printing = delivery.join();
    directory.join();
    printingAddress = world.lab().server(2).address();
    awaitDirectory(kitchen, awaitSignedList());
    kitchen.awaitIdle();
  }

  @AfterAll
  void end() {
    world.close();
  }

  @Test
  void aCommandOfAnApplicationServerArrivesInASessionWithThatServer() {
    kitchen.awaitNoConnection();
    int position = kitchen.process().position();

    JsonNode command = deliver("the invoice");

    assertSucceeded(command, "the invoice");
    assertThat(World.events(command, "wake-sent")).isNotEmpty();
    assertThat(World.events(command, "session-opened")).hasSize(1);
    assertThat(dials(position)).isNotEmpty().allMatch(line -> line.contains(toPrinting()));
    String id = command.path("id").asText();
    assertThatThrownBy(() -> world.server().command(id))
        .as("the rendezvous server")
        .hasMessageContaining("HTTP 404");
  }

  @Test
  void whatIsAcceptedWhileTheRendezvousServerIsDeadGoesOutWhenItIsBack() {
    kitchen.awaitNoConnection();
    world.server().kill();

    String id = printing.echo("kitchen", "have patience");
    JsonNode waiting =
        World.await(printing, id, c -> !World.events(c, "rendezvous-away").isEmpty(), PATIENCE);
    assertThat(waiting.path("state").asText()).isEqualTo("QUEUED");
    World.pass(Duration.ofSeconds(INTERVAL_SECONDS + 1));
    assertThat(printing.command(id).path("state").asText()).isEqualTo("QUEUED");

    world.server().startAgain();
    JsonNode command = World.awaitEnd(printing, id, PATIENCE);
    assertSucceeded(command, "have patience");
    assertThat(World.events(command, "rendezvous-away")).as("once per outage").hasSize(1);
  }

  @Test
  void anApplicationServerThatMovesIsReachedAtItsNewAddress() {
    kitchen.awaitNoConnection();
    int position = kitchen.process().position();
    String newAddress =
        world.lab().server(2).addresses().stream()
            .filter(address -> !address.equals(printingAddress))
            .findFirst()
            .orElseThrow();
    printing.restart("--tls", ServerProcess.at(newAddress, ServerProcess.TLS_PORT));
    printingAddress = newAddress;

    long version = world.server().setServer(PRINTING, "printing", newAddress);
    String pushed = kitchen.process().awaitFrom(position, "list", l -> has(l, version), PATIENCE);
    assertThat(pushed).contains("verdict=accepted");
    assertThat(dials(position))
        .as("it was woken for the list by the directory server's number")
        .anyMatch(line -> line.contains("number=" + DIRECTORY));

    kitchen.awaitNoConnection();
    int beforeCommand = kitchen.process().position();
    assertSucceeded(deliver("at the new place"), "at the new place");
    assertThat(dials(beforeCommand)).isNotEmpty().allMatch(line -> line.contains(toPrinting()));
  }

  @Test
  void aRevocationEndsTheSessionWithTheApplicationServer() {
    AgentProcess guest =
        world.agent(
            2,
            "guest",
            "push",
            INTERVAL_SECONDS,
            "programs: {wait: {command: [sleep, '300'], time-limit: 10m}}\n");
    guest.awaitIdle();
    String id = printing.send("guest", "run", Map.of("program", "wait"));
    World.await(printing, id, c -> c.path("state").asText().equals("RUNNING"), PATIENCE);
    int position = guest.process().position();

    Instant revoked = Instant.now();
    world.server().revoke("guest");
    guest
        .process()
        .awaitFrom(
            position,
            "end of the session",
            line -> line.contains(" session-closed ") && line.contains("number=" + PRINTING),
            PATIENCE);

    assertThat(Duration.between(revoked, Instant.now())).isLessThan(SHUT_OUT_WITHIN);
    assertThatThrownBy(() -> printing.echo("guest", "too late"))
        .hasMessageContaining("device-revoked");
  }

  private JsonNode deliver(String text) {
    return World.awaitEnd(printing, printing.echo("kitchen", text), PATIENCE);
  }

  /** Waits until the directory server has signed the newest list; its version. */
  private long awaitSignedList() {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (true) {
      JsonNode directory = world.server().get("/v1/application-servers").path("directory");
      if (directory.path("upToDate").asBoolean() && directory.path("signer").asInt() == DIRECTORY) {
        return directory.path("version").asLong();
      }
      assertThat(Instant.now()).as(directory::toPrettyString).isBefore(deadline);
      World.pass(Duration.ofMillis(100));
    }
  }

  private static void awaitDirectory(AgentProcess agent, long version) {
    agent.process().await("list " + version, line -> has(line, version), PATIENCE);
  }

  private static boolean has(String line, long version) {
    return line.contains(" directory version=" + version + " ");
  }

  private List<String> dials(int position) {
    List<String> lines = kitchen.process().lines();
    return lines.subList(position, lines.size()).stream()
        .filter(line -> line.contains(" dial "))
        .toList();
  }

  /** What the line of a dial to the application server says. */
  private String toPrinting() {
    return "server=" + ServerProcess.at(printingAddress, ServerProcess.TLS_PORT) + " ";
  }

  private static void assertSucceeded(JsonNode command, String text) {
    assertThat(command.path("state").asText()).as(command::toPrettyString).isEqualTo("SUCCEEDED");
    assertThat(command.path("result").path("text").asText()).isEqualTo(text);
  }
}
