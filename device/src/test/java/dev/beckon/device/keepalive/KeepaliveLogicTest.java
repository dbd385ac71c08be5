package dev.beckon.device.keepalive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.protocol.datagram.MalformedDatagramException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The timing of keepalives, in virtual time; randomness is pinned to the middle of its range. */
class KeepaliveLogicTest {
  private static final DeviceId ID = new DeviceId("kitchen");
  private static final KeyRing.Key KEY = new KeyRing.Key(1, 2, filled(7));
  private static final InetSocketAddress HOME = new InetSocketAddress("203.0.113.1", 40_001);
  private static final InetSocketAddress MOVED = new InetSocketAddress("203.0.113.1", 40_002);
  private static final long WALL = 1_800_000_000_000L;
  private static final long T0 = Long.MAX_VALUE - 1; // monotonic time wraps right away

  private double random = 0.5;
  private byte nextId;
  private long now = T0;
  private final KeyRing keys = new KeyRing(KEY);
  private KeepaliveLogic logic = logic(Duration.ofSeconds(25), false);

  /** What happened, each with its virtual time in milliseconds. */
  private final List<String> log = new ArrayList<>();

  private final List<Keepalive> sent = new ArrayList<>();
  private final List<byte[]> sentBytes = new ArrayList<>();

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

  private KeepaliveLogic logic(Duration interval, boolean oneWay) {
    return new KeepaliveLogic(
        ID,
        keys,
        new KeepaliveTiming(interval, oneWay),
        () -> random,
        () -> filled12(++nextId),
        T0);
  }

  private void start() {
    apply(logic.start(now, WALL + millis()));
  }

  /** Start, answer, second keepalive, answer: the steady state from 3 s on. */
  private void settle() {
    start();
    answer(HOME);
    runUntil(3_000);
    answer(HOME);
  }

  private void runUntil(long millis) {
    long end = T0 + millis * 1_000_000;
    while (end - logic.nextNanos() >= 0) {
      now = logic.nextNanos();
      apply(logic.onTime(now, WALL + millis()));
    }
    now = end;
  }

  private void runAnswered(long untilMillis) {
    long end = T0 + untilMillis * 1_000_000;
    while (end - logic.nextNanos() >= 0) {
      now = logic.nextNanos();
      apply(logic.onTime(now, WALL + millis()));
      answerIfAsked();
    }
    now = end;
  }

  private void runSilently(long untilMillis) {
    long end = T0 + untilMillis * 1_000_000;
    while (end - logic.nextNanos() >= 0) {
      now = logic.nextNanos();
      List<KeepaliveEffect> effects = logic.onTime(now, WALL + millis());
      apply(effects);
      if (effects.stream().anyMatch(effect -> effect instanceof KeepaliveEffect.Rebind)) {
        start();
      }
    }
    now = end;
  }

  private void runSilentlyFor(long millis) {
    runSilently(millis() + millis);
  }

  private void answerIfAsked() {
    if (!last().oneWay()) {
      answer(HOME);
    }
  }

  private void answer(InetSocketAddress mapped) {
    answerWith(last(), mapped, false, false, 42, 0);
  }

  private KeepaliveAnswer answerTo(Keepalive keepalive) {
    return new KeepaliveAnswer(keepalive.transactionId(), HOME, false, false, WALL, 0, 1, 0);
  }

  private void answerWith(
      Keepalive to,
      InetSocketAddress mapped,
      boolean stale,
      boolean unproven,
      long token,
      long last) {
    KeepaliveAnswer answer =
        new KeepaliveAnswer(
            to.transactionId(), mapped, stale, unproven, WALL + millis(), 0, token, last);
    apply(logic.onAnswer(answer, KEY, now, WALL + millis()));
  }

  private void apply(List<KeepaliveEffect> effects) {
    for (KeepaliveEffect effect : effects) {
      if (effect instanceof KeepaliveEffect.Send send) {
        log.add(millis() + " send");
        sentBytes.add(send.bytes());
        sent.add(decode(send.bytes()));
      } else if (effect instanceof KeepaliveEffect.Rebind) {
        log.add(millis() + " rebind");
      } else if (effect instanceof KeepaliveEffect.DialIn) {
        log.add(millis() + " dial-in");
      } else if (effect instanceof KeepaliveEffect.Answered) {
        log.add(millis() + " answered");
      } else if (effect instanceof KeepaliveEffect.Remapped remapped) {
        log.add(millis() + " remapped " + remapped.mapped());
      }
    }
  }

  private Keepalive decode(byte[] bytes) {
    assertThat(Datagram.isAuthentic(bytes, bytes.length, keys.current().key())).isTrue();
    try {
      return (Keepalive) Datagram.decode(bytes, bytes.length);
    } catch (MalformedDatagramException e) {
      throw new AssertionError(e);
    }
  }

  private Keepalive last() {
    return sent.get(sent.size() - 1);
  }

  private String kinds() {
    StringBuilder kinds = new StringBuilder();
    sent.forEach(keepalive -> kinds.append(keepalive.oneWay() ? '-' : 'R'));
    return kinds.toString();
  }

  private String firstRebind() {
    return log.stream().filter(line -> line.endsWith("rebind")).findFirst().orElseThrow();
  }

  private static long millisOf(String line) {
    return Long.parseLong(line.substring(0, line.indexOf(' ')));
  }

  private long nextDialInIfAnswered() {
    long from = millis();
    int dialIns = (int) log.stream().filter(line -> line.endsWith("dial-in")).count();
    while (log.stream().filter(line -> line.endsWith("dial-in")).count() == dialIns) {
      now = logic.nextNanos();
      apply(logic.onTime(now, WALL + millis()));
      answerIfAsked();
    }
    return millis() - from;
  }

  private long millis() {
    return (now - T0) / 1_000_000;
  }

  private static byte[] filled(int value) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static byte[] filled12(int value) {
    byte[] bytes = new byte[12];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
