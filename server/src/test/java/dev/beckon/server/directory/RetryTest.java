package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.server.store.StoreException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** What a failing database delays. */
final class RetryTest {

  private final Deque<Runnable> later = new ArrayDeque<>();
  private final List<String> done = new ArrayList<>();
  private final Retry retry = new Retry("the list", later::add);
  private boolean fails = true;

  private void store(String list) {
    if (fails) {
      throw new CompletionException(new StoreException("disk full"));
    }
    done.add(list);
  }

  @Test
  void triesAgainUntilTheDatabaseTakesIt() {
    retry.attempt(() -> store("first"));
    later.remove().run();
    fails = false;
    later.remove().run();

    assertThat(done).containsExactly("first");
    assertThat(later).isEmpty();
  }

  @Test
  void leavesWhatIsOutOfDate() {
    retry.attempt(() -> store("first"));
    fails = false;
    retry.attempt(() -> store("second"));
    later.remove().run();

    assertThat(done).containsExactly("second");
    assertThat(later).isEmpty();
  }

  @Test
  void doesNotTryAgainWhatIsRefused() {
    retry.attempt(
        () -> {
          throw new ListRefusedException(ListRefusedException.Reason.FORGED, "forged");
        });

    assertThat(later).isEmpty();
  }
}
