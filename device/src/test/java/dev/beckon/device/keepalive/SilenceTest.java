package dev.beckon.device.keepalive;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a device does while its server stays silent on UDP. */
class SilenceTest extends KeepaliveScript {
  @Test
  void sendsTheSameBytesAgainUntilAnswered() {
    start();
    runUntil(10_000);

    assertThat(log).containsExactly("0 send", "500 send", "1500 send", "3500 send");
    assertThat(sentBytes).allMatch(bytes -> Arrays.equals(bytes, sentBytes.get(0)));
  }

  @Test
  void stopsSendingAgainOnceAnswered() {
    start();
    runUntil(600);
    answer(HOME);
    runUntil(3_599);

    assertThat(log).containsExactly("0 send", "500 send", "600 answered", "600 remapped " + HOME);
  }

  @Test
  void opensANewSocketAfterThreeSilentIntervals() {
    start();
    runUntil(74_999);
    assertThat(log).doesNotContain("75000 rebind");
    runUntil(75_000);

    assertThat(log).contains("75000 rebind").doesNotContain("50000 rebind");
    assertThat(sent).as("nothing is sent until there is one").hasSize(3 * 4);
    start();
    assertThat(sent).hasSize(3 * 4 + 1);
  }

  @Test
  void oneAnswerInThreeIntervalsKeepsTheSocket() {
    start();
    runUntil(50_100);
    answer(HOME);
    runUntil(120_000);

    assertThat(log).noneMatch(line -> line.contains("rebind"));
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0.0    | 5  | not earlier, or a fleet would storm a server that is back
          0.5    | 32 | anywhere in between
          0.9999 | 59 | not later than an hour
          """)
  void dialsInAtARandomTimeWhenUdpStaysSilent(double draw, long minute, String reason) {
    random = draw;
    start();
    runSilently(Duration.ofHours(2).toMillis());

    List<String> dialIns = log.stream().filter(line -> line.endsWith("dial-in")).toList();
    assertThat(dialIns).as(reason).isNotEmpty();
    long silentFrom = millisOf(firstRebind());
    long waited = millisOf(dialIns.get(0)) - silentFrom;
    assertThat(waited / 60_000).as(reason).isEqualTo(minute);
  }

  @Test
  void dialsInEverySixHoursWhileUdpIsSilentAndDailyWhileItAnswers() {
    start();
    runSilently(Duration.ofHours(14).toMillis());
    List<String> dialIns = log.stream().filter(line -> line.endsWith("dial-in")).toList();
    assertThat(dialIns).hasSize(3);
    assertThat(millisOf(dialIns.get(2)) - millisOf(dialIns.get(1)))
        .isEqualTo(Duration.ofHours(6).toMillis());

    answer(HOME);
    assertThat(nextDialInIfAnswered()).isEqualTo(Duration.ofHours(24).toMillis());
  }

  @Test
  void doesNotDialInBecauseTheServerWasAwayForAMinute() {
    settle();
    runUntil(60_000);
    answer(HOME);
    for (int i = 0; i < 100; i++) {
      runUntil(millis() + 20_000);
      answerIfAsked();
    }

    assertThat(log).noneMatch(line -> line.contains("dial-in"));
  }

  @Test
  void aSessionPutsTheDailyDialInOff() {
    settle();
    for (long hour = 1; hour <= 30; hour++) {
      runAnswered(Duration.ofHours(hour).toMillis());
      if (hour == 20) {
        logic.onSession(now);
      }
    }

    assertThat(log).noneMatch(line -> line.contains("dial-in"));
  }
}
