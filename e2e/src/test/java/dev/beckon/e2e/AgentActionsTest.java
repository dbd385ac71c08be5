package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.agent.action.PrivateCups;
import dev.beckon.agent.action.RequiresPrograms;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Long actions of a real agent, commanded by the command line through a real server. */
@NullMarked
@Timeout(300)
final class AgentActionsTest {

  private static final byte[] PDF =
      "%PDF-1.4\n% not much of one\n".getBytes(StandardCharsets.US_ASCII);
  private static final Set<String> UNENDED = Set.of("QUEUED", "DELIVERED", "RUNNING");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path folder;
  private LiveServer server;
  private @Nullable LabProcess agent;

  @BeforeEach
  void enrollADevice() throws Exception {
    server = LiveServer.start(folder.resolve("server"), false);
    String code = server.code("kitchen");
    try (LabProcess enroll =
        start("dev.beckon.agent.Main", "enroll", code, "--data", data().toString())) {
      assertThat(enroll.awaitEnd(PATIENCE)).as(() -> "" + enroll.lines()).isZero();
    }
  }

  @AfterEach
  void stop() {
    LabProcess running = agent;
    if (running != null) {
      running.close();
    }
    server.close();
  }

  @Test
  void whatAProgramPrintsIsSeenWhileItRuns() throws Exception {
    Path go = folder.resolve("go");
    startAgent(
        """
        programs:
          oven:
            command: [sh, -c, 'echo heating; while [ ! -e "$0" ]; do sleep 0.1; done; echo hot', '%s']
        """
            .formatted(go));

    String id = send("run", "program=oven");
    JsonNode running = await(id, "heating");
    assertThat(running.path("state").asText()).isEqualTo("RUNNING");
    Files.createFile(go);

    JsonNode end = awaitEnd(id);
    assertThat(end.path("state").asText()).as(end::toPrettyString).isEqualTo("SUCCEEDED");
    assertThat(end.path("result").path("output").asText()).isEqualTo("heating\nhot\n");
  }

  @RequiresPrograms(
      value = {PrivateCups.SERVER, PrivateCups.TEXT_FILTER},
      packages = PrivateCups.PACKAGES)
  @Test
  void printsADocumentTellsHowFarItIsAndGoesOnAfterAPrinterThatIsOff() throws Exception {
    try (PrivateCups cups = PrivateCups.start(Files.createDirectory(folder.resolve("cups")))) {
      startAgent(
          "printers: {office: {uri: '%s'}, attic: {uri: '%s'}}\n"
              .formatted(cups.uri("raw"), cups.uri("stopped")));
      Path invoice = Files.write(folder.resolve("invoice.pdf"), PDF);

      Files.createFile(cups.output("raw", ".hold"));
      String id = send("print", "printer=office", "--body", invoice.toString());
      assertThat(await(id, "processing").path("state").asText()).isEqualTo("RUNNING");
      Files.delete(cups.output("raw", ".hold"));
      assertPrinted(id, cups);

      JsonNode off = awaitEnd(send("print", "printer=attic", "--body", invoice.toString()));
      assertThat(off.path("state").asText()).as(off::toPrettyString).isEqualTo("FAILED");
      assertThat(off.path("result").path("failure").asText()).isEqualTo("printer-offline");

      Files.delete(cups.output("raw", ""));
      assertPrinted(send("print", "printer=office", "--body", invoice.toString()), cups);
    }
  }

  private void assertPrinted(String id, PrivateCups cups) throws IOException, InterruptedException {
    JsonNode end = awaitEnd(id);
    assertThat(end.path("state").asText()).as("%s%n%s", end, cups.log()).isEqualTo("SUCCEEDED");
    assertThat(end.path("result").path("job-state").asText()).isEqualTo("completed");
    assertThat(Files.readAllBytes(cups.output("raw", ""))).isEqualTo(PDF);
  }

  @RequiresPrograms(
      value = {
        PrivateDesktop.SCREEN,
        PrivateDesktop.BUS,
        PrivateDesktop.DAEMON,
        PrivateDesktop.NOTIFIER
      },
      packages = PrivateDesktop.PACKAGES)
  @Test
  void showsANotificationOnADesktopAndItsTextAsItIs() throws Exception {
    try (PrivateDesktop desktop =
        PrivateDesktop.start(Files.createDirectory(folder.resolve("desktop")))) {
      startAgent("display: {notification: {bus: '%s'}}\n".formatted(desktop.bus()));

      JsonNode end =
          awaitEnd(
              send("display", "target=notification", "title=Door", "text=-u <b>Anna</b> & Bob"));

      assertThat(end.path("state").asText()).as(end::toPrettyString).isEqualTo("SUCCEEDED");
      assertThat(desktop.awaitShown())
          .containsExactly("Beckon", "Door", "-u &lt;b&gt;Anna&lt;/b&gt; &amp; Bob");
    }
  }

  private void startAgent(String actions) throws IOException {
    Files.writeString(data().resolve("agent.yaml"), actions);
    LabProcess started =
        start(
            "dev.beckon.agent.Main",
            "agent",
            "--data",
            data().toString(),
            "--interval",
            "3s",
            "--lab");
    agent = started;
    // By then the server knows what the device can do.
    started.await("a session's end", line -> line.contains(" session-closed "), PATIENCE);
  }

  /** Sends a command as people do; its ID. */
  private String send(String... words) {
    List<String> all = new ArrayList<>(List.of("send", "kitchen"));
    all.addAll(List.of(words));
    all.addAll(List.of("--server", server.apiAddress()));
    all.addAll(List.of("--token-file", folder.resolve("server/admin.token").toString()));
    try (LabProcess send = start("dev.beckon.cli.Main", all.toArray(new String[0]))) {
      assertThat(send.awaitEnd(PATIENCE)).as(() -> "" + send.lines()).isZero();
      return send.lines().getLast().strip();
    }
  }

  private JsonNode awaitEnd(String id) throws IOException, InterruptedException {
    return await(id, null);
  }

  /** Waits for progress with this text, or for the end. */
  private JsonNode await(String id, @Nullable String progress)
      throws IOException, InterruptedException {
    Instant deadline = Instant.now().plus(PATIENCE);
    while (true) {
      JsonNode command = server.get("/v1/commands/" + id);
      boolean ended = !UNENDED.contains(command.path("state").asText());
      boolean told =
          progress != null
              && World.events(command, "progress").stream()
                  .anyMatch(
                      entry -> entry.path("details").path("text").asText().contains(progress));
      if (ended || told) {
        return command;
      }
      assertThat(Instant.now())
          .as("%s: %s", Objects.requireNonNullElse(progress, "the end"), command)
          .isBefore(deadline);
      World.pass(Duration.ofMillis(50));
    }
  }

  private static LabProcess start(String main, String... words) {
    return LabProcess.start(words[0], JavaCommand.of(main, words), _ -> {});
  }

  private Path data() {
    return folder.resolve("kitchen");
  }
}
