package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandKey;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.State;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How commands end that their handlers do not end well. */
class ActionRunnerTest {
  @TempDir Path folder;

  @Test
  void tellsTheEndWhateverTheHandlerThrows() throws Exception {
    Action action = Action.named("boom");
    ActionRunner runner =
        new ActionRunner(
            Map.of(
                "boom",
                new ActionRunner.Entry(
                    action,
                    command -> {
                      throw new AssertionError("not thought of");
                    })),
            new BodyFolder(folder),
            1_000);
    CompletableFuture<ActionRunner.Outcome> end = new CompletableFuture<>();

    runner.run(
        new CommandKey(0, "A"),
        Command.newBuilder().setCommandId("A").setAction("boom").build(),
        (id, percent, text) -> {},
        (id, outcome) -> end.complete(outcome));

    assertThat(end.get(10, TimeUnit.SECONDS).state()).isEqualTo(State.FAILED);
    assertThat(end.join().reason()).isEqualTo("not thought of");
    runner.interrupt();
  }

  @Test
  void takesSecretsOutOfWhatIsSaidAndDeletesTheBody() throws Exception {
    Action action =
        Action.named("unlock").takes(Parameter.text("pin"), Parameter.integer("n")).takesBody();
    BodyFolder bodies = new BodyFolder(folder);
    CommandKey key = new CommandKey(0, "A");
    CompletableFuture<String> seen = new CompletableFuture<>();
    ActionRunner runner =
        new ActionRunner(
            Map.of(
                "unlock",
                new ActionRunner.Entry(
                    action,
                    command -> {
                      String body =
                          new String(command.body().readAllBytes(), StandardCharsets.UTF_8);
                      seen.complete(command.text("pin") + " " + body + command.isSecret("pin"));
                      command.progress(1, "trying " + command.text("pin"));
                      return Result.of("echo", body).with("n", command.integer("n"));
                    })),
            bodies,
            1_000);
    ByteString body = ByteString.copyFromUtf8("a secret body");
    bodies.append(key, 0, body);
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(bodies.commandBody(key))))
        .isEqualTo("rw-------");
    Command command =
        Command.newBuilder()
            .setCommandId("A")
            .setAction("unlock")
            .putArgs("pin", "hunter2")
            .putArgs("n", "7x")
            .addSecretArgs("pin")
            .addSecretArgs("n")
            .setHasBody(true)
            .setBodyBytes(body.size())
            .setSecretBody(true)
            .build();
    CompletableFuture<String> progress = new CompletableFuture<>();
    CompletableFuture<ActionRunner.Outcome> end = new CompletableFuture<>();

    assertThat(runner.refusal(command)).isEqualTo("n: (secret) (expected an integer)");
    runner.run(
        key,
        command,
        (id, percent, text) -> progress.complete(text),
        (id, outcome) -> end.complete(outcome));

    assertThat(seen.get(10, TimeUnit.SECONDS)).isEqualTo("hunter2 a secret bodytrue");
    assertThat(progress.get(10, TimeUnit.SECONDS)).isEqualTo("trying (secret)");
    assertThat(end.get(10, TimeUnit.SECONDS).reason())
        .isEqualTo("n: (secret) (expected an integer)");
    assertThat(bodies.commandBody(key)).doesNotExist();
    runner.interrupt();
  }
}
