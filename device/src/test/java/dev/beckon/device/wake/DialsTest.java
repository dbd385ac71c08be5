package dev.beckon.device.wake;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Several servers wanted at one time, in virtual time. */
class DialsTest {
  private static final long T0 = Long.MAX_VALUE - 1; // monotonic time wraps right away

  private long now = T0;
  private final Dials dials = new Dials(() -> 0.5, T0);

  @Test
  void dialsEachServerForItsOwnWake() {
    wake(0, 1);
    wake(7, 2);

    assertThat(dials.onTime(now)).isEqualTo(new Dials.Dial(0, 1, false, 0));
    assertThat(dials.onTime(now)).isEqualTo(new Dials.Dial(7, 2, false, 0));
    assertThat(dials.onTime(now)).isNull();
    assertThat(dials.nextNanos()).isNull();
  }

  @Test
  void aSessionWithOneServerDoesNotKeepAnotherFromBeingDialled() {
    wake(0, 1);
    dials.onTime(now);
    dials.of(0).onOpened(now);

    assertThat(wake(7, 2)).isFalse();
    assertThat(dials.onTime(now)).isEqualTo(new Dials.Dial(7, 2, false, 0));
    assertThat(wake(7, 3)).as("it is being dialled: tell it").isTrue();
  }

  @Test
  void allServersShareOneLimit() {
    List<Integer> at = new ArrayList<>();
    for (int server = 1; server <= 12; server++) {
      wake(server, server);
    }
    for (Dials.Dial dial = next(); dial != null; dial = next()) {
      at.add((int) Duration.ofNanos(now - T0).toSeconds());
    }

    assertThat(at).hasSize(12);
    assertThat(at.subList(0, 10)).as("a burst of ten").containsOnly(0);
    assertThat(at.subList(10, 12)).as("delayed, not dropped").containsExactly(5, 10);
  }

  @Test
  void whoHasWaitedLongestIsDialledFirst() {
    for (int server = 1; server <= 10; server++) {
      wake(server, server);
      dials.onTime(now);
    }
    wake(30, 30);
    now += Duration.ofSeconds(1).toNanos();
    wake(20, 20);
    now += Duration.ofSeconds(1).toNanos();
    dials.of(1).onFailed(now); // its next try is due later than both

    assertThat(next()).isEqualTo(new Dials.Dial(30, 30, false, 0));
    assertThat(next()).isEqualTo(new Dials.Dial(20, 20, false, 0));
    assertThat(next()).isEqualTo(new Dials.Dial(1, 1, false, 0));
  }

  @Test
  void oneServerThatFailsDoesNotSlowAnother() {
    wake(7, 1);
    for (int i = 0; i < 4; i++) {
      next();
      dials.of(7).onFailed(now);
    }
    wake(8, 2);

    assertThat(dials.onTime(now)).isEqualTo(new Dials.Dial(8, 2, false, 0));
  }

  @Test
  void oneServerThatRefusesTheDeviceDoesNotBarAnother() {
    wake(7, 1);
    next();
    dials.of(7).onRefused();
    dials.of(0).onDialIn(now);
    dials.of(7).onUnreported(now);

    assertThat(next()).isEqualTo(new Dials.Dial(0, 0, false, 0));
    assertThat(next()).isNull();
  }

  @Test
  void asksForTheDirectoryAgainIfTheDialForItFails() {
    dials.of(0).onPull(5, now + Duration.ofSeconds(4).toNanos(), 0, now);

    assertThat(next()).isEqualTo(new Dials.Dial(0, 0, true, 5));
    dials.of(0).onFailed(now);
    assertThat(next()).isEqualTo(new Dials.Dial(0, 0, true, 5));
    dials.of(0).onOpened(now);
    dials.of(0).onClosed(DialLogic.Ending.UNSERVED_WAKE, now);
    assertThat(next()).as("it was not sent").isEqualTo(new Dials.Dial(0, 0, true, 5));
    dials.of(0).onOpened(now);
    dials.of(0).onClosed(DialLogic.Ending.FINISHED, now);
    wake(0, 6);
    assertThat(next()).as("it is served").isEqualTo(new Dials.Dial(0, 6, false, 0));
  }

  @Test
  void forgetsAServerThatHasNoAddressAnyMore() {
    wake(7, 1);
    next();
    dials.of(7).onUnknown();

    assertThat(dials.nextNanos()).isNull();
  }

  private boolean wake(int server, long wakeId) {
    return dials.of(server).onWake(wakeId, now + Duration.ofHours(1).toNanos(), 0, now);
  }

  private Dials.@Nullable Dial next() {
    while (true) {
      Long at = dials.nextNanos();
      if (at == null) {
        return null;
      }
      now = at - now > 0 ? at : now;
      Dials.Dial dial = dials.onTime(now);
      if (dial != null) {
        return dial;
      }
    }
  }
}
