package dev.beckon.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class SilenceTest {

  private static final Duration ENOUGH = Duration.ofMinutes(5);
  private static final Instant START = Instant.parse("2026-05-04T03:02:01Z");
  private static final DeviceId DEVICE = new DeviceId("kitchen");

  private final Silence silence = new Silence(ENOUGH, START);

  private static Instant after(int minutes) {
    return START.plus(Duration.ofMinutes(minutes));
  }

  @Test
  void countsFromTheStartOfTheServer() {
    assertThat(silence.enoughAt(DEVICE, after(1))).isEqualTo(after(5));
  }

  @Test
  void neverEndsWhileASessionIsOpen() {
    silence.opened(DEVICE);

    assertThat(silence.enoughAt(DEVICE, after(60))).isEqualTo(after(65));
  }

  @Test
  void countsFromTheEndOfTheLastSession() {
    silence.opened(DEVICE);
    silence.closed(DEVICE, after(60));

    assertThat(silence.enoughAt(DEVICE, after(61))).isEqualTo(after(65));
  }

  @Test
  void outlivesTheSessionThatWasReplaced() {
    silence.opened(DEVICE);
    silence.opened(DEVICE);
    silence.closed(DEVICE, after(60));

    assertThat(silence.enoughAt(DEVICE, after(90))).isEqualTo(after(95));
  }

  @Test
  void forgetsWhatNoLongerMatters() {
    silence.opened(DEVICE);
    silence.closed(DEVICE, after(60));
    silence.forgetOld(after(64));
    assertThat(silence.enoughAt(DEVICE, after(64))).isEqualTo(after(65));

    silence.forgetOld(after(65));
    assertThat(silence.enoughAt(DEVICE, after(65))).isBefore(after(65));
  }
}
