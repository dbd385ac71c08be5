package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.device.command.CommandKey;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.State;
import java.nio.file.Path;
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
}
