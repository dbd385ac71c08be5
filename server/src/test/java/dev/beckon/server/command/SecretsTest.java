package dev.beckon.server.command;

import static dev.beckon.server.command.Fleet.KITCHEN;
import static dev.beckon.server.command.Fleet.update;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Parameter;
import dev.beckon.protocol.session.ParameterType;
import dev.beckon.protocol.session.State;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a command's secret parts, on a real database. */
class SecretsTest {

  private static final String PIN = "hunter2-hunter2";
  private static final byte[] BODY = "the secret body".getBytes(StandardCharsets.UTF_8);

  @TempDir Path temp;
  private Fleet fleet;
  private final List<Command> told = new ArrayList<>();

  @BeforeEach
  void start() {
    fleet = new Fleet(temp);
    fleet.commands.addListener(
        new CommandListener() {
          @Override
          public void accepted(Command command) {
            told.add(command);
          }

          @Override
          public void changed(Command command) {
            told.add(command);
          }

          @Override
          public void cancelAsked(Command command) {
            told.add(command);
          }
        });
  }

  @AfterEach
  void stop() {
    fleet.close();
  }

  private NewCommand secret(String pin, byte @Nullable [] body, @Nullable String key) {
    return new NewCommand(
        KITCHEN,
        "unlock",
        Map.of("pin", pin, "door", "front"),
        body,
        fleet.now.get().plus(Fleet.DEADLINE),
        key,
        Set.of("pin"),
        body != null);
  }

  private Command ended(String id, State state, String reason, Map<String, String> result) {
    return fleet
        .commands
        .update(KITCHEN, update(id, state).setReason(reason).putAllResult(result).build(), null)
        .join()
        .orElseThrow();
  }

  @Test
  void showsAMarkToEverybodyButTheDeviceAndWhoeverAsks() {
    Command accepted = fleet.accepted(secret(PIN, BODY, null));
    String id = accepted.id();
    Map<String, String> shown = Map.of("pin", "(secret)", "door", "front");

    assertThat(accepted.args()).isEqualTo(shown);
    assertThat(accepted.secrecy()).isEqualTo(new Secrecy(Set.of("pin"), true, true));
    assertThat(fleet.commands.find(id).orElseThrow().args()).isEqualTo(shown);
    assertThat(fleet.commands.list(new CommandQuery(null, null, null, null, 10)).getFirst().args())
        .isEqualTo(shown);
    assertThat(fleet.commands.reveal(id).orElseThrow().args()).containsEntry("pin", PIN);
    Command handedOver =
        fleet.commands.handOver(KITCHEN, Set.of(), 16).join().commands().getFirst();
    assertThat(handedOver.args()).containsEntry("pin", PIN);
    assertThat(told).allSatisfy(command -> assertThat(command.args()).isEqualTo(shown));
    assertThat(handedOver.toString() + secret(PIN, null, null)).doesNotContain(PIN);
  }

  @Test
  void takesSecretsOutOfWhatTheDeviceSays() {
    String id = fleet.accepted(secret(PIN, BODY, null)).id();
    fleet.handOver();
    fleet
        .commands
        .update(
            KITCHEN,
            update(id, State.RUNNING)
                .setProgressText("trying " + PIN)
                .setNote("for " + PIN)
                .build(),
            null)
        .join();

    Command command =
        ended(id, State.FAILED, "pin: " + PIN + " is wrong", Map.of("echo", "<the secret body>"));

    assertThat(command.reason()).isEqualTo("pin: (secret) is wrong");
    assertThat(command.result()).isEqualTo(Map.of("echo", "<(secret)>"));
    assertThat(command.timeline().toString())
        .contains("trying (secret)", "for (secret)")
        .doesNotContain(PIN);
    assertThat(told.toString() + told.getLast().timeline()).doesNotContain(PIN);
  }

  @Test
  void leavesNoTraceOnTheDiskOnceTheCommandHasEnded() throws IOException {
    String id = fleet.accepted(secret(PIN, BODY, "a-key")).id();
    fleet.handOver();
    assertThat(filesWith(PIN)).as("before the end").isNotEmpty();
    assertThat(filesWith("the secret body")).isNotEmpty();
    ended(id, State.SUCCEEDED, "", Map.of("echo", PIN));

    fleet.commands.onTime(fleet.now.get());
    fleet.pass(Retention.EMPTY_LOG_AFTER);
    fleet.commands.onTime(fleet.now.get());

    assertThat(filesWith(PIN)).isEmpty();
    assertThat(filesWith("the secret body")).isEmpty();
    assertThat(fleet.commands.reveal(id).orElseThrow().args()).containsEntry("pin", "(secret)");
    assertThat(fleet.commands.body(id)).isEmpty();
  }

  @Test
  void forgetsSecretsHoweverTheCommandEnds() {
    String expired = fleet.accepted(secret(PIN, null, null)).id();
    String cancelled = fleet.accepted(secret(PIN, null, null)).id();
    fleet.commands.cancel(cancelled).join();
    fleet.pass(Fleet.DEADLINE.plus(Duration.ofSeconds(1)));
    fleet.commands.onTime(fleet.now.get());
    String unknown = fleet.accepted(secret(PIN, null, null)).id();
    fleet.handOver();
    fleet.pass(Fleet.DEADLINE.plus(CommandLife.SILENCE).plus(Duration.ofSeconds(1)));
    fleet.commands.onTime(fleet.now.get());

    assertThat(fleet.state(expired)).isEqualTo(CommandState.EXPIRED);
    assertThat(fleet.state(unknown)).isEqualTo(CommandState.UNKNOWN);
    for (String id : List.of(expired, cancelled, unknown)) {
      assertThat(fleet.commands.reveal(id).orElseThrow().args()).containsEntry("pin", "(secret)");
    }
  }

  @Test
  void withholdsWhatIsReportedAfterTheSecretsAreGone() {
    String id = fleet.accepted(secret(PIN, null, null)).id();
    fleet.handOver();
    fleet.commands.deviceEnrolledAgain(KITCHEN);
    fleet.settle();

    fleet
        .commands
        .update(
            KITCHEN,
            update(id, State.FAILED).setReason("no").putResult("exit", "1").build(),
            new byte[] {1, 2, 3})
        .join();

    Command command = fleet.commands.find(id).orElseThrow();
    assertThat(command.state()).isEqualTo(CommandState.FAILED);
    assertThat(command.reason()).isEqualTo("(secret)");
    assertThat(command.result()).isEqualTo(Map.of("exit", "(secret)"));
    assertThat(command.secrecy().resultBody()).isTrue();
  }

  @Test
  void neverHandsOverACommandThatLostItsSecrets() {
    String id = fleet.accepted(secret(PIN, null, null)).id();
    fleet.handOver();
    fleet.commands.deviceEnrolledAgain(KITCHEN);
    fleet.settle();
    fleet.report(id, State.DELIVERED);

    assertThat(fleet.state(id)).isEqualTo(CommandState.DELIVERED);
    assertThat(fleet.handOver()).isEmpty();
  }

  @Test
  void keepsABodyThatHoldsASecretForTheAdmin() {
    String plain = fleet.accepted(secret(PIN, null, null)).id();
    String echo = fleet.accepted(secret(PIN, null, null)).id();
    fleet.handOver();
    fleet.commands.update(KITCHEN, update(plain, State.SUCCEEDED).build(), new byte[] {1}).join();
    fleet
        .commands
        .update(
            KITCHEN,
            update(echo, State.SUCCEEDED).build(),
            ("x" + PIN).getBytes(StandardCharsets.UTF_8))
        .join();

    assertThat(fleet.commands.find(plain).orElseThrow().secrecy().resultBody()).isFalse();
    assertThat(fleet.commands.find(echo).orElseThrow().secrecy().resultBody()).isTrue();
  }

  @Test
  void comparesSecretsOfARepetitionWhileItHasThem() {
    Command first = fleet.accepted(secret(PIN, BODY, "k"));

    assertThat(fleet.submit(secret(PIN, BODY, "k"))).isInstanceOf(Submission.Repeated.class);
    assertThat(fleet.submit(secret("other", BODY, "k"))).isInstanceOf(Submission.Conflict.class);
    assertThat(fleet.submit(secret(PIN, new byte[] {1}, "k")))
        .isInstanceOf(Submission.Conflict.class);
    NewCommand open =
        new NewCommand(
            KITCHEN,
            "unlock",
            Map.of("pin", "(secret)", "door", "front"),
            BODY,
            fleet.now.get().plus(Fleet.DEADLINE),
            "k");
    assertThat(fleet.submit(open)).as("not marked").isInstanceOf(Submission.Conflict.class);

    fleet.commands.cancel(first.id()).join();
    assertThat(fleet.submit(secret("other", BODY, "k")))
        .as("nothing is left to compare with")
        .isInstanceOf(Submission.Repeated.class);
  }

  @Test
  void refusesWithoutQuotingASecret() {
    Actions actions =
        Actions.newBuilder()
            .addActions(
                Action.newBuilder()
                    .setName("unlock")
                    .setAcceptsOtherArgs(true)
                    .addParameters(
                        Parameter.newBuilder().setName("pin").setType(ParameterType.INTEGER)))
            .build();
    fleet
        .identity
        .devices()
        .declareActions(KITCHEN, actions, ByteString.copyFrom(new byte[32]).toByteArray())
        .join();

    assertThat(fleet.submit(secret(PIN, null, null)))
        .isEqualTo(
            new Submission.Refused(
                "argument-invalid", "argument pin: (secret) (expected an integer)"));
  }

  private List<Path> filesWith(String text) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(temp)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text)) {
          found.add(file);
        }
      }
    }
    return found;
  }
}
