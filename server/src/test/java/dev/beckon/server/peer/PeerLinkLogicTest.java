package dev.beckon.server.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerFrame.KindCase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An enrolled server's side, with virtual time that starts just before it wraps. */
class PeerLinkLogicTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final RandomGenerator LOTS = new Random(3);

  private long now = Long.MAX_VALUE - 1_000_000_000L;
  private final PeerLinkLogic logic = new PeerLinkLogic(7, 2, Security.MUTUAL, LOTS, now);

  private List<LinkEffect> pass(Duration time) {
    now += time.toNanos();
    return logic.onTime(now);
  }

  private void comeUp() {
    assertThat(logic.onTime(now)).containsExactly(new LinkEffect.Dial());
    assertThat(logic.onConnected(5, now))
        .containsExactly(new LinkEffect.Send(PeerFrames.hello(7, 2, 5)));
    assertThat(logic.onFrame(PeerFrames.welcome(1, "printing", "mutual"), now)).isEmpty();
    assertThat(logic.onFrame(PeerFrames.denyList(Map.of()).getFirst(), now))
        .containsExactly(new LinkEffect.Up("printing"));
  }

  @Test
  void dialsAtOnceAndIsUpAfterWelcomeAndTheDenyList() {
    comeUp();

    assertThat(logic.isUp()).isTrue();
  }

  @Test
  void asksForNoWakeBeforeTheWholeDenyListIsIn() {
    logic.onTime(now);
    logic.onConnected(5, now);
    logic.onFrame(PeerFrames.welcome(1, "printing", "mutual"), now);
    List<PeerFrame> parts =
        PeerFrames.denyList(
            IntStream.rangeClosed(0, PeerFrames.MAX_DENIED)
                .boxed()
                .collect(Collectors.toMap(i -> "d" + i, i -> 2)));
    assertThat(parts).hasSize(2);

    assertThat(logic.onFrame(parts.get(0), now)).hasSize(1);
    assertThat(logic.onFrame(PeerFrames.denied("hall", 3), now)).hasSize(1);
    assertThat(logic.wake(KITCHEN, 99)).isEmpty();
    assertThat(pass(Duration.ofSeconds(4))).containsExactly(new LinkEffect.Send(PeerFrames.PING));

    assertThat(logic.onFrame(parts.get(1), now))
        .hasSize(2)
        .last()
        .isEqualTo(new LinkEffect.Up("printing"));
    assertThat(logic.wake(KITCHEN, 99)).hasSize(1);
  }

  @Test
  void asksForAWakeOnlyWhileItIsUp() {
    assertThat(logic.wake(KITCHEN, 99)).isEmpty();
    comeUp();

    assertThat(logic.wake(KITCHEN, 99))
        .containsExactly(new LinkEffect.Send(PeerFrames.wakeRequest(1, "kitchen", 99)));
  }

  @Test
  void tellsWhichDeviceARefusalIsAbout() {
    comeUp();
    logic.wake(KITCHEN, 99);

    assertThat(logic.onFrame(PeerFrames.wakeAnswer(1, 0, "device-revoked"), now))
        .containsExactly(new LinkEffect.Refused(KITCHEN, "device-revoked"));
    assertThat(logic.onFrame(PeerFrames.wakeAnswer(1, 0, "device-revoked"), now)).isEmpty();
  }

  @Test
  void waitsLongerAfterEachFailureAndTellsOnceThatNobodyIsThere() {
    failSixTimes();
  }

  private void failSixTimes() {
    assertThat(logic.onTime(now)).containsExactly(new LinkEffect.Dial());
    assertThat(logic.onConnectionLost("refused", now))
        .containsExactly(new LinkEffect.Away(PeerEnd.CONNECTION_LOST, "refused"));

    for (long longest : new long[] {500, 1000, 2000, 4000, 5000, 5000}) {
      assertThat(pass(Duration.ofMillis(longest / 2 - 1))).isEmpty();
      assertThat(pass(Duration.ofMillis(longest / 2 + 1)))
          .as("%d ms", longest)
          .containsExactly(new LinkEffect.Dial());
      assertThat(logic.onConnectionLost("refused", now)).isEmpty();
    }
  }

  @Test
  void startsWithTheShortestPauseOnceItWasUp() {
    failSixTimes();
    now += Duration.ofSeconds(5).toNanos();
    comeUp();

    assertThat(logic.onConnectionLost("reset", now))
        .containsExactly(new LinkEffect.Away(PeerEnd.CONNECTION_LOST, "reset"));
    assertThat(pass(Duration.ofMillis(500))).containsExactly(new LinkEffect.Dial());
  }

  @Test
  void findsOutWithinTenSecondsThatTheOtherSideIsGone() {
    comeUp();

    assertThat(pass(Duration.ofSeconds(4))).containsExactly(new LinkEffect.Send(PeerFrames.PING));
    assertThat(pass(Duration.ofMillis(5_999))).isEmpty();
    assertThat(pass(Duration.ofMillis(1)))
        .containsExactly(
            new LinkEffect.Cut(), new LinkEffect.Away(PeerEnd.SILENT, "nothing received for 10 s"));
  }

  @Test
  void staysUpWhileTheOtherSideAnswers() {
    comeUp();

    for (int i = 0; i < 100; i++) {
      assertThat(pass(Duration.ofSeconds(4))).containsExactly(new LinkEffect.Send(PeerFrames.PING));
      now += Duration.ofSeconds(1).toNanos();
      assertThat(logic.onFrame(PeerFrames.PONG, now)).isEmpty();
    }
    assertThat(logic.isUp()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"REMOVED", "REPLACED", "WRONG_NUMBER", "WRONG_SECURITY"})
  void leavesARefusalAloneForHalfAMinute(PeerEnd end) {
    comeUp();
    assertThat(logic.onFrame(PeerFrames.bye(end, "so"), now))
        .containsExactly(new LinkEffect.Cut(), new LinkEffect.Away(end, "so"));

    assertThat(pass(Duration.ofSeconds(29))).isEmpty();
    assertThat(pass(Duration.ofSeconds(31))).containsExactly(new LinkEffect.Dial());
  }

  @Test
  void doesNotTalkToAServerOfAnotherSecurity() {
    logic.onTime(now);
    logic.onConnected(0, now);

    List<LinkEffect> effects = logic.onFrame(PeerFrames.welcome(1, "printing", "none"), now);

    assertThat(effects).hasSize(3);
    assertThat(((LinkEffect.Send) effects.get(0)).frame().getBye().getCode())
        .isEqualTo("wrong-security");
    assertThat(effects.get(1)).isEqualTo(new LinkEffect.Cut());
    assertThat(((LinkEffect.Away) effects.get(2)).end()).isEqualTo(PeerEnd.WRONG_SECURITY);
  }

  @Test
  void givesUpADialThatBringsNoWelcome() {
    logic.onTime(now);
    logic.onConnected(0, now);

    assertThat(pass(Duration.ofSeconds(10)))
        .containsExactly(
            new LinkEffect.Cut(), new LinkEffect.Away(PeerEnd.SILENT, "no answer in 10 s"));
  }

  @Test
  void takesTheDenyListInParts() {
    comeUp();

    assertThat(logic.onFrame(PeerFrames.denyList(Map.of("kitchen", 3)).getFirst(), now))
        .containsExactly(new LinkEffect.Denied(Map.of("kitchen", 3)));
    assertThat(logic.onFrame(PeerFrames.denyList(Map.of()).getFirst(), now)).isEmpty();
  }

  @Test
  void saysGoodbyeAndStaysAway() {
    comeUp();

    assertThat(logic.close()).hasSize(2).last().isEqualTo(new LinkEffect.Cut());
    assertThat(logic.deadlineNanos()).isEmpty();
    assertThat(pass(Duration.ofHours(1))).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(PeerFrame.KindCase.class)
  void ignoresEveryFrameWhileItIsNotConnected(KindCase kind) {
    assertThat(logic.onFrame(Frames.ofKind(kind), now)).isEmpty();
  }
}
