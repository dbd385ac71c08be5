package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.device.command.CommandKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class NewestProgressTest {
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final List<String> passed = new ArrayList<>();
  private final NewestProgress progress =
      new NewestProgress(
          tasks::add,
          (key, percent, text) -> passed.add(key.commandId() + " " + percent + " " + text));

  @Test
  void passesTheNewestOnAndHasOneTaskPerCommandUnderWay() {
    for (int i = 1; i <= 100; i++) {
      progress.accept(new CommandKey(0, "A"), i, "step " + i);
      progress.accept(new CommandKey(0, "B"), i, "page " + i);
    }
    assertThat(tasks).hasSize(2);
    runAll();

    assertThat(passed).containsExactly("A 100 step 100", "B 100 page 100");
  }

  @Test
  void passesOnWhatIsReportedLater() {
    progress.accept(new CommandKey(0, "A"), 1, "");
    runAll();
    progress.accept(new CommandKey(0, "A"), 2, "");
    runAll();

    assertThat(passed).containsExactly("A 1 ", "A 2 ");
  }

  private void runAll() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }
}
