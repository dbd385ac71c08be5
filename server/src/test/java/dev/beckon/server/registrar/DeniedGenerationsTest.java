package dev.beckon.server.registrar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DeniedGenerationsTest {
  private final DeniedGenerations denied = new DeniedGenerations();

  @Test
  void aMinimumIsNeverLoweredAgain() {
    denied.raise(7, 3);
    denied.raise(7, 2);
    denied.raiseAll(Map.of(7L, 1, 8L, 5));

    assertThat(denied.denies(7, 2)).isTrue();
    assertThat(denied.denies(7, 3)).isFalse();
    assertThat(denied.denies(8, 4)).isTrue();
    assertThat(denied.denies(9, 0)).isFalse();
  }

  /** As at the start: the whole list, and then each of it again. One copy for each takes hours. */
  @Test
  @Timeout(60)
  void aLongListOpensInNoTime() {
    int devices = 500_000;
    Map<Long, Integer> list = new HashMap<>();
    for (long tag = 1; tag <= devices; tag++) {
      list.put(tag * 0x9E37_79B9_7F4A_7C15L, 2);
    }

    denied.raiseAll(list);
    list.forEach(denied::raise);

    assertThat(list.keySet()).allMatch(tag -> denied.denies(tag, 1) && !denied.denies(tag, 2));
  }
}
