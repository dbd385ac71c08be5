package dev.beckon.device.keepalive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The timing of keepalives and what answers change. */
class KeepaliveLogicTest extends KeepaliveScript {
  @ParameterizedTest(name = "{3}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          25 | 0.0  | 22500  | the shortest interval is 10 % below
          25 | 0.5  | 25000  | the middle is the interval itself
          25 | 1.0  | 27500  | the longest is 10 % above
          120 | 0.5 | 120000 | a long interval is kept as it is
          3  | 0.5  | 3000   | the lab's interval
          """)
  void waitsForTheIntervalAndItsJitter(
      long seconds, double draw, long expectedMillis, String reason) {
    random = draw;
    logic = logic(Duration.ofSeconds(seconds), false);
    start();
    answer(HOME);
    runUntil(3_000);
    answer(HOME);
    long second = 3_000;

    runUntil(second + expectedMillis - 1);
    int before = sent.size();
    runUntil(second + expectedMillis);

    assertThat(before).as(reason).isEqualTo(2);
    assertThat(sent).as(reason).hasSize(3);
  }

  @Test
  void sendsASecondOneThreeSecondsAfterTheFirstAnswer() {
    start();
    runUntil(40);
    answer(HOME);

    runUntil(3_039);
    assertThat(sent).hasSize(1);
    runUntil(3_040);
    assertThat(sent).hasSize(2);
  }

  @Test
  void sendsAnotherOneThreeSecondsAfterEachChangeOfTheMappedAddress() {
    settle();
    runUntil(28_000);
    answer(MOVED);

    assertThat(sent).hasSize(3);
    runUntil(31_000);
    assertThat(sent).hasSize(4);
    assertThat(log).contains("28000 remapped " + MOVED);
  }

  @Test
  void echoesThePathTokenAtOnceWhenItsAddressIsUnproven() {
    start();
    answerWith(last(), HOME, false, true, 77, 0);

    assertThat(sent).hasSize(2);
    assertThat(last().pathToken()).isEqualTo(77);
    assertThat(last().sequence()).isGreaterThan(sent.get(0).sequence());
    assertThat(millis()).isZero();
    answerWith(last(), HOME, false, false, 78, 0);
    runUntil(3_000);
    assertThat(sent).as("the second exchange still follows").hasSize(3);
    assertThat(last().pathToken()).as("always the newest token").isEqualTo(78);
  }

  @Test
  void doesNotPlayPingPongWithANatThatMapsEachDatagramAnew() {
    start();
    for (int port = 1; port <= 20; port++) {
      answerWith(last(), new InetSocketAddress("203.0.113.1", port), false, true, port, 0);
    }

    assertThat(sent).hasSize(4);
    assertThat(logic.nextNanos() - now).isEqualTo(Duration.ofSeconds(25).toNanos());
  }

  @Test
  void goesOnFromTheServersSequenceWhenToldThatItsOwnIsStale() {
    start();
    long ahead = WALL + 5_000_000;
    answerWith(last(), HOME, true, false, 0, ahead);

    assertThat(sent).hasSize(2);
    assertThat(last().sequence()).isEqualTo(ahead + 1);
  }

  @Test
  void sequenceFollowsTheClockButNeverFallsBehindItself() {
    start();
    answer(HOME);
    runUntil(3_000);

    assertThat(sent.get(0).sequence()).isEqualTo(WALL);
    assertThat(sent.get(1).sequence()).isEqualTo(WALL + 3_000);
    apply(logic.start(now, WALL - 1_000_000)); // the clock was set back
    assertThat(last().sequence()).isEqualTo(WALL + 3_001);
  }

  @Test
  void everyKeepaliveAsksForAnAnswerUnlessSetOtherwise() {
    settle();
    runAnswered(Duration.ofMinutes(20).toMillis());

    assertThat(sent).hasSizeGreaterThan(40).noneMatch(Keepalive::oneWay);
  }

  @Test
  void firstThreeAndEveryFourthKeepaliveAreRequestsIfOthersAreOneWay() {
    logic = logic(Duration.ofSeconds(25), true);
    settle();
    runAnswered(Duration.ofMinutes(5).toMillis());

    assertThat(kinds()).startsWith("RRR---R---R");
  }

  @Test
  void asksForAnswersWhileTheLastRequestIsUnanswered() {
    logic = logic(Duration.ofSeconds(25), true);
    settle();
    runAnswered(Duration.ofSeconds(28).toMillis()); // RRR
    runSilentlyFor(125_000);

    assertThat(kinds()).matches("RRR---R+.*");
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          25  | 0 | not at 25 s: that is within every mapping's life
          26  | 1 | above it: a mapping made anew by a rebooted router would stay short-lived
          100 | 1 | above it: a mapping made anew by a rebooted router would stay short-lived
          """)
  void repeatsEveryFourthKeepaliveThreeSecondsLaterAboveTwentyFiveSeconds(
      long seconds, int repeats, String reason) {
    logic = logic(Duration.ofSeconds(seconds), false);
    settle(); // two keepalives
    int from = sent.size();
    runAnswered(millis() + Duration.ofSeconds(seconds * 4).toMillis() + 20_000);

    List<Long> gaps = new ArrayList<>();
    for (int i = from; i < sent.size(); i++) {
      gaps.add(sent.get(i).sequence() - sent.get(i - 1).sequence());
    }
    assertThat(gaps.stream().filter(gap -> gap == 3_000).count()).as(reason).isEqualTo(repeats);
  }

  @Test
  void aRepeatedOneIsARequestEvenIfOthersAreOneWay() {
    logic = logic(Duration.ofSeconds(100), true);
    settle();
    runAnswered(Duration.ofSeconds(1_000).toMillis());

    assertThat(kinds()).startsWith("RRR---RR---RR");
  }

  @Test
  void believesNoAnswerToWhatItDidNotAsk() {
    start();
    KeepaliveAnswer stray =
        new KeepaliveAnswer(filled12(99), MOVED, true, false, WALL, 0, 0, WALL * 2);
    apply(logic.onAnswer(stray, KEY, now, WALL));

    assertThat(log).containsExactly("0 send");
    assertThat(logic.mappedAddress()).isNull();
  }

  @Test
  void aLateAnswerToAnOlderRequestProvesTheServerAliveButMovesNothing() {
    settle();
    runUntil(28_000);
    Keepalive older = last();
    runUntil(53_000);
    answer(HOME);
    answerWith(older, MOVED, false, false, 5, 0);

    assertThat(logic.mappedAddress()).isEqualTo(HOME);
  }

  @Test
  void aWakeIsFreshIfItEchoesTheNewestTwoAnsweredOrALaterSequence() {
    settle();
    runAnswered(60_000);
    int n = sent.size();
    long newest = sent.get(n - 1).sequence();
    long second = sent.get(n - 2).sequence();
    long third = sent.get(n - 3).sequence();

    assertThat(logic.isFresh(newest)).isTrue();
    assertThat(logic.isFresh(second)).isTrue();
    assertThat(logic.isFresh(third)).as("older than the second-newest answered").isFalse();
    assertThat(logic.isFresh(newest + 1)).as("never sent").isFalse();
    assertThat(logic.isFresh(0)).isFalse();
  }

  @Test
  void aWakeMayEchoAKeepaliveWhoseAnswerWasLost() {
    settle();
    runUntil(28_000);

    assertThat(logic.isFresh(last().sequence())).isTrue();
    assertThat(logic.isFresh(sent.get(0).sequence())).isTrue();
  }

  @Test
  void keepsItsFormerKeyUntilTheServerAnswersUnderTheNewOne() {
    KeyRing.Key next = new KeyRing.Key(2, 2, filled(8));
    start();
    answer(HOME);
    keys.renew(next);
    runUntil(3_000);
    byte[] underFormer =
        new KeepaliveAnswer(filled12(1), HOME, false, false, 1, 0, 1, 0).encode(KEY.key());
    assertThat(keys.authenticate(underFormer, underFormer.length)).isEqualTo(KEY);
    assertThat(last().keyId()).isEqualTo(2);

    apply(logic.onAnswer(answerTo(last()), next, now, WALL));
    assertThat(keys.authenticate(underFormer, underFormer.length)).isNull();
  }
}
