package dev.beckon.device.directory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.device.directory.PullLogic.Effect;
import dev.beckon.protocol.directory.ServerAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When the device pulls the directory, in virtual time. */
class PullLogicTest {
  private static final long T0 = Long.MAX_VALUE - 1; // monotonic time wraps right away
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final long LATER = T0 + 60 * SECOND;
  private static final int DIRECTORY_SERVER = 65_535;

  private double random = 0.5;
  private long now = T0;
  private Directory held = Directory.NONE;
  private final PullLogic logic = new PullLogic(() -> held, () -> random);

  @Test
  void dialsAServerThatTheListNames() {
    hold(1, 7);

    assertThat(logic.onWake(7, 9, LATER, 500)).containsExactly(new Effect.Dial(7, 9, LATER, 500));
    assertThat(logic.onWake(0, 8, LATER, 0)).containsExactly(new Effect.Dial(0, 8, LATER, 0));
  }

  @Test
  void pullsForAServerThatTheListDoesNotNameAndThenDialsIt() {
    hold(1, 7);
    assertThat(logic.onWake(8, 9, LATER, 0)).containsExactly(new Effect.Pull(0, 0, LATER, 0));
    hold(2, 7, 8);

    assertThat(logic.onDirectory(now)).containsExactly(new Effect.Dial(8, 9, LATER, 0));
    assertThat(logic.onPulled(0, now)).as("once").isEmpty();
  }

  @Test
  void tellsOfAServerThatIsUnknownAfterThePull() {
    hold(3, 7);
    logic.onWake(8, 9, LATER, 0);

    assertThat(logic.onPulled(0, now)).containsExactly(new Effect.Unknown(8, 9, LATER, 3));
    assertThat(logic.onPulled(0, now)).as("once").isEmpty();
  }

  @Test
  void tellsNothingOfAWakeThatIsOverMeanwhile() {
    logic.onWake(8, 9, LATER, 0);

    assertThat(logic.onPulled(0, LATER + 1)).isEmpty();
  }

  @Test
  void pullsWhenAWakeSaysSo() {
    assertThat(logic.onWake(DIRECTORY_SERVER, 9, LATER, 300))
        .as("with the delay that spreads a fleet")
        .containsExactly(new Effect.Pull(0, 9, LATER, 300));
    hold(1, DIRECTORY_SERVER);
    assertThat(logic.onWake(DIRECTORY_SERVER, 10, LATER, 0))
        .containsExactly(new Effect.Pull(DIRECTORY_SERVER, 10, LATER, 0));
  }

  @Test
  void pullsFromTheRendezvousServerIfTheDirectoryServerCannotBeReached() {
    hold(1, DIRECTORY_SERVER);
    logic.onWake(8, 9, LATER, 0);

    assertThat(logic.onDialFailed(7, now)).as("another server").isEmpty();
    assertThat(logic.onDialFailed(DIRECTORY_SERVER, now))
        .containsExactly(new Effect.Pull(0, 0, now + 300 * SECOND, 0));
    assertThat(logic.onDialFailed(DIRECTORY_SERVER, now)).as("once").isEmpty();
  }

  @Test
  void pullsFromTheRendezvousServerWhileTheDirectoryServerWillNotHaveTheDevice() {
    hold(1, DIRECTORY_SERVER);
    logic.onWake(8, 9, LATER, 0);
    assertThat(logic.onRefused(DIRECTORY_SERVER, now))
        .containsExactly(new Effect.Pull(0, 0, now + 300 * SECOND, 0));
    assertThat(logic.onWake(8, 10, LATER, 0)).containsExactly(new Effect.Pull(0, 0, LATER, 0));
    assertThat(logic.onRefused(DIRECTORY_SERVER, now)).as("it was not asked").isEmpty();

    assertThat(logic.onWake(DIRECTORY_SERVER, 11, LATER, 0))
        .as("it may have it again")
        .containsExactly(new Effect.Pull(DIRECTORY_SERVER, 11, LATER, 0));
    logic.onPulled(DIRECTORY_SERVER, now);
    assertThat(logic.onWake(8, 12, LATER, 0))
        .containsExactly(new Effect.Pull(DIRECTORY_SERVER, 0, LATER, 0));
  }

  @Test
  void pullsFromTheRendezvousServerIfTheDirectoryServerHoldsBackWhatAnswersShow() {
    hold(1, DIRECTORY_SERVER);
    logic.onAnswered(1, now);
    logic.onAnswered(2, now);
    logic.onWake(8, 9, LATER, 0);

    assertThat(logic.onPulled(DIRECTORY_SERVER, now))
        .containsExactly(new Effect.Pull(0, 0, now + 300 * SECOND, 0));
    assertThat(logic.onPulled(0, now)).containsExactly(new Effect.Unknown(8, 9, LATER, 1));
  }

  @Test
  void pullsAtTheStartIfTheServerHasANewerList() {
    hold(4, 7);

    assertThat(logic.onAnswered(5, now))
        .containsExactly(new Effect.Pull(0, 0, now + 300 * SECOND, 0));
  }

  @Test
  void doesNotPullAtTheStartIfItHasTheList() {
    hold(5, 7);

    assertThat(logic.onAnswered(5, now)).isEmpty();
    assertThat(logic.nextNanos()).isNull();
  }

  @Test
  void pullsAtARandomMomentWithinSixHoursOfALaterAnswer() {
    random = 0.75;
    hold(5, 7);
    logic.onAnswered(5, now);
    assertThat(logic.onAnswered(6, now)).isEmpty();
    long planned = T0 + Duration.ofMinutes(270).toNanos();
    assertThat(logic.nextNanos()).isEqualTo(planned);
    now += 25 * SECOND;
    random = 0;
    logic.onAnswered(6, now);
    assertThat(logic.nextNanos()).as("the moment is drawn once").isEqualTo(planned);

    assertThat(logic.onTime(planned - 1)).isEmpty();
    assertThat(logic.onTime(planned))
        .containsExactly(new Effect.Pull(0, 0, planned + 300 * SECOND, 0));
  }

  @Test
  void doesNotPullAtThatMomentIfTheListCameBefore() {
    hold(5, 7);
    logic.onAnswered(5, now);
    logic.onAnswered(6, now);
    hold(6, 7);

    assertThat(logic.onDirectory(now)).isEmpty();
    assertThat(logic.nextNanos()).isNull();
  }

  @Test
  void triesAgainWithinSixHoursIfThePullBroughtNothing() {
    hold(5, 7);
    logic.onAnswered(6, now);
    assertThat(logic.onPulled(0, now)).isEmpty();
    logic.onAnswered(6, now);

    assertThat(logic.nextNanos()).isEqualTo(T0 + Duration.ofHours(3).toNanos());
  }

  @Test
  void looksUpABoundedNumberOfServersAtOneTime() {
    for (int server = 1; server <= 10_000; server++) {
      logic.onWake(server, server, LATER, 0);
    }

    assertThat(logic.onPulled(0, now)).hasSize(256);
  }

  private void hold(long version, int... servers) {
    Map<Integer, ServerAddress> addresses = new HashMap<>();
    for (int server : servers) {
      addresses.put(server, new ServerAddress("192.0.2.1", 5349));
    }
    held = new Directory(version, addresses);
  }
}
