package dev.beckon.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class CommandIdsTest {

  private static final long NOW = 1_777_863_721_000L;

  /** The greatest random part there is. */
  private static final RandomGenerator ALL_ONES = () -> -1L;

  @Test
  void has26CharactersOfCrockfordsBase32() {
    assertThat(new CommandIds(new Random(1), "").next(NOW)).matches("[0-9A-HJKMNP-TV-Z]{26}");
  }

  @Test
  void writesTheTimeFirst() {
    assertThat(new CommandIds(new Random(1), "").next(1_469_922_850_259L)).startsWith("01ARZ3NDEK");
  }

  @Test
  void sortsByTheOrderOfMaking() {
    CommandIds ids = new CommandIds(new Random(1), "");
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      made.add(ids.next(NOW + i / 1000));
    }

    assertThat(made).doesNotHaveDuplicates().isSorted();
  }

  @Test
  void goesOnUpwardsWhenTheClockIsSetBack() {
    CommandIds ids = new CommandIds(new Random(1), "");
    String first = ids.next(NOW);

    assertThat(ids.next(NOW - 3_600_000)).isGreaterThan(first);
  }

  @Test
  void goesOnAfterTheNewestIdOfAnEarlierRun() {
    String last = new CommandIds(new Random(1), "").next(NOW);

    assertThat(new CommandIds(new Random(2), last).next(NOW - 1)).isGreaterThan(last);
  }

  @Test
  void carriesIntoTheTimeWhenTheRandomPartIsFull() {
    CommandIds ids = new CommandIds(ALL_ONES, "");
    String first = ids.next(NOW);

    assertThat(first).endsWith("Z".repeat(16));
    assertThat(ids.next(NOW)).isGreaterThan(first).endsWith("0".repeat(16));
  }
}
