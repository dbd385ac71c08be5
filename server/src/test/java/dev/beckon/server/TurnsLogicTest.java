package dev.beckon.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.TurnsLogic.Turn;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TurnsLogicTest {
  private final TurnsLogic turns = new TurnsLogic();

  private static List<Turn> page(String... commands) {
    return Arrays.stream(commands)
        .map(id -> new Turn(id, new DeviceId("device-" + id), Instant.EPOCH))
        .toList();
  }

  private List<String> next(int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Turn turn = turns.next();
      ids.add(turn == null ? "-" : turn.commandId());
    }
    return ids;
  }

  @Test
  void aSmallGroupDoesNotWaitBehindALargeOne() {
    turns.open(Map.of("large", true));
    turns.page("large", page("l1", "l2", "l3", "l4", "l5"));
    assertThat(next(1)).containsExactly("l1");
    turns.open(Map.of("large", true, "small", true));
    turns.page("small", page("s1", "s2"));

    assertThat(next(6)).containsExactlyInAnyOrder("l2", "s1", "l3", "s2", "l4", "l5");
    assertThat(next(1)).containsExactly("-");
  }

  @Test
  void alternatesBetweenGroups() {
    turns.open(Map.of("a", true, "b", true));
    turns.page("a", page("a1", "a2", "a3"));
    turns.page("b", page("b1", "b2", "b3"));

    List<String> order = next(6).stream().map(id -> id.substring(0, 1)).toList();

    assertThat(order)
        .isIn(List.of("a", "b", "a", "b", "a", "b"), List.of("b", "a", "b", "a", "b", "a"));
  }

  @Test
  void asksForPageAfterPageAndPassesEachGroupOnce() {
    turns.open(Map.of("a", true));
    assertThat(turns.wanting()).containsExactly("a");
    assertThat(turns.after("a")).isEmpty();
    turns.page("a", page("a1", "a2"));
    assertThat(turns.wanting()).isEmpty();
    next(2);
    assertThat(turns.wanting()).containsExactly("a");
    assertThat(turns.after("a")).isEqualTo("a2");
    turns.page("a", page());

    assertThat(turns.wanting()).isEmpty();
    turns.open(Map.of("a", true));
    assertThat(turns.wanting()).as("passed").isEmpty();
    assertThat(turns.isOpen()).isTrue();
    turns.open(Map.of());
    assertThat(turns.isOpen()).isFalse();
  }

  @Test
  void comesBackToAGroupWhoseCommandsAreStillBeingAdded() {
    turns.open(Map.of("a", false));
    turns.page("a", page());
    assertThat(turns.wanting()).containsExactly("a");

    turns.page("a", page("a1"));

    assertThat(next(1)).containsExactly("a1");
  }

  @Test
  void dropsWhatIsLeftOfAGroupThatWasCancelled() {
    turns.open(Map.of("a", true));
    turns.page("a", page("a1", "a2"));
    turns.open(Map.of());
    turns.page("a", page("a3"));

    assertThat(next(1)).containsExactly("-");
  }
}
