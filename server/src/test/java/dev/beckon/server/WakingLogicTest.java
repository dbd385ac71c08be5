package dev.beckon.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.TurnsLogic.Turn;
import dev.beckon.server.command.Commands;
import dev.beckon.server.store.StoreException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whom wakes for group commands go to, and in which order. */
class WakingLogicTest {

  private final TurnsLogic turns = new TurnsLogic();
  private final Queue<DeviceId> returned = new ArrayDeque<>();
  private final List<String> woken = new ArrayList<>();
  private final List<DeviceId> atOnce = new ArrayList<>();
  private final List<DeviceId> toldAgain = new ArrayList<>();
  private final Map<DeviceId, Commands.Waiting> waiting = new HashMap<>();
  private final Set<String> away = new HashSet<>();
  private boolean storeFails;
  private int reads;

  private final WakingLogic logic =
      new WakingLogic(
          turns,
          returned,
          new WakingLogic.Devices() {
            @Override
            public Optional<Commands.Waiting> waiting(DeviceId id) {
              reads++;
              if (storeFails) {
                throw new StoreException("store: not read", new IllegalStateException("the disk"));
              }
              return Optional.ofNullable(waiting.get(id));
            }

            @Override
            public void wakeAtOnce(DeviceId id, Instant deadline) {
              atOnce.add(id);
            }

            @Override
            public void tellReturn(DeviceId id) {
              toldAgain.add(id);
            }

            @Override
            public boolean wake(Turn turn) {
              woken.add(turn.deviceId().value());
              return !away.contains(turn.deviceId().value());
            }
          });

  private void open(String... groupsOldestFirst) {
    Map<String, Boolean> open = new LinkedHashMap<>();
    for (String group : groupsOldestFirst) {
      open.put(group, true);
    }
    turns.open(open);
  }

  private void page(String group, int devices) {
    turns.page(
        group,
        IntStream.range(0, devices)
            .mapToObj(n -> new Turn(group + n, new DeviceId(group + n), Instant.EPOCH))
            .toList());
  }

  private void returns(int devices, boolean somethingWaits) {
    for (int n = 0; n < devices; n++) {
      DeviceId id = new DeviceId("back" + n);
      returned.add(id);
      if (somethingWaits) {
        waiting.put(id, new Commands.Waiting(Instant.EPOCH, false));
      }
    }
  }

  private int wokenOf(String prefix) {
    return (int) woken.stream().filter(id -> id.startsWith(prefix)).count();
  }

  @Test
  void theOldestGroupHasHalfOfTheTurnsWhateverElseWaits() {
    open("old", "new", "small", "other");
    List.of("old", "new", "small", "other").forEach(group -> page(group, 500));
    returns(500, true);

    for (int portion = 0; portion < 80; portion++) {
      logic.wake(5); // less than 4 rounds, and no multiple of one
    }

    assertThat(wokenOf("old")).isBetween(200, 260);
    assertThat(wokenOf("back")).isEqualTo(100);
    assertThat(wokenOf("small")).as("none waits behind the oldest").isBetween(20, 30);
    assertThat(woken).doesNotHaveDuplicates();
  }

  @Test
  void turnsThatNobodyNeedsAreAnothers() {
    open("a");
    page("a", 100);
    assertThat(logic.wake(100)).isEqualTo(new WakingLogic.Portion(100, true, null));
    assertThat(wokenOf("a")).isEqualTo(100);

    returns(100, true);
    assertThat(logic.wake(100).count()).isEqualTo(100);
    assertThat(wokenOf("back")).isEqualTo(100);
    assertThat(logic.wake(100)).isEqualTo(new WakingLogic.Portion(0, false, null));
  }

  @Test
  void theNextOldestFollows() {
    open("a", "b");
    page("a", 10);
    page("b", 100);
    logic.wake(60);

    assertThat(wokenOf("a")).isEqualTo(10);
    assertThat(wokenOf("b")).isEqualTo(50);
  }

  @Test
  void devicesThatAreBackWithNothingWaitingHoldUpNobody() {
    open("a");
    page("a", 500);
    returns(20_000, false);

    WakingLogic.Portion portion = logic.wake(200);

    assertThat(portion.count()).isEqualTo(200);
    assertThat(reads).isLessThan(100);
  }

  @Test
  void aPortionEndsThoughTensOfThousandsAreBack() {
    returns(20_000, false);

    WakingLogic.Portion portion = logic.wake(200);

    assertThat(reads).isEqualTo(WakingLogic.MAX_LOOKED_AT);
    assertThat(portion.more()).as("it was not the pace that held it").isFalse();
    assertThat(returned).hasSize(20_000 - WakingLogic.MAX_LOOKED_AT);
  }

  @Test
  void aPortionEndsThoughAllAreAway() {
    open("a");
    page("a", 5_000);
    IntStream.range(0, 5_000).forEach(n -> away.add("a" + n));

    assertThat(logic.wake(1)).isEqualTo(new WakingLogic.Portion(0, false, null));
    assertThat(woken).hasSize(WakingLogic.MAX_LOOKED_AT);
  }

  @Test
  void aSingleCommandOfADeviceThatIsBackWaitsForNoTurn() {
    returns(1, true);
    waiting.put(new DeviceId("back0"), new Commands.Waiting(Instant.EPOCH, true));
    logic.wake(1);

    assertThat(atOnce).containsExactly(new DeviceId("back0"));
    assertThat(woken).isEmpty();
  }

  @Test
  void aDeviceThatIsBackIsToldAgainIfTheStoreCannotBeReadAndTheGroupsGoOn() {
    open("a");
    page("a", 50);
    returns(30, true);
    storeFails = true;

    WakingLogic.Portion portion = logic.wake(50);

    assertThat(portion.count()).isEqualTo(50);
    assertThat(portion.failure()).isNotNull();
    assertThat(wokenOf("a")).isEqualTo(50);
    assertThat(toldAgain).as("one failure is enough to know").hasSize(1);
    assertThat(returned).hasSize(29).doesNotContainAnyElementsOf(toldAgain);
    storeFails = false;
    logic.wake(29);
    assertThat(wokenOf("back")).isEqualTo(29);
  }

  @Test
  void nobodyIsWokenWhileNoneMayBe() {
    open("a");
    page("a", 5);
    returns(5, true);

    assertThat(logic.wake(0)).isEqualTo(new WakingLogic.Portion(0, false, null));
    assertThat(logic.wake(-3).more()).isFalse();
    assertThat(woken).isEqualTo(Collections.emptyList());
    assertThat(reads).isZero();
  }
}
