package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@NullMarked
final class SendRateTest {
  private static final long STEP_NANOS = 100_000_000;

  /** A server that takes so many per second, and drops the rest. */
  private static void run(SendRate rate, double capacity, int steps) {
    for (int i = 0; i < steps; i++) {
      long sent = Math.round(rate.perSecond() * STEP_NANOS / 1e9);
      long taken = Math.min(sent, Math.round(capacity * STEP_NANOS / 1e9));
      rate.observe(sent, taken, STEP_NANOS);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {5e4, 2e5, 1.5e6})
  void settlesWithinTwoSecondsALittleAboveWhatTheServerTakes(double capacity) {
    SendRate rate = new SendRate();
    run(rate, capacity, 20);
    for (int i = 0; i < 50; i++) {
      run(rate, capacity, 1);
      assertThat(rate.perSecond()).isBetween(capacity * 1.04, capacity * 1.5);
    }
  }

  @Test
  void followsAServerThatBecomesFasterOrSlower() {
    SendRate rate = new SendRate();
    run(rate, 100_000, 20);
    run(rate, 400_000, 20);
    assertThat(rate.perSecond()).isGreaterThan(400_000);
    run(rate, 50_000, 30);
    assertThat(rate.perSecond()).isBetween(50_000.0, 75_000.0);
  }

  @Test
  void goesOnTryingAfterAServerWasSilent() {
    SendRate rate = new SendRate();
    run(rate, 200_000, 20);
    run(rate, 0, 20);
    assertThat(rate.perSecond()).isGreaterThan(10_000);
    run(rate, 200_000, 20);
    assertThat(rate.perSecond()).isGreaterThan(200_000);
  }
}
