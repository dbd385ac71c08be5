package dev.beckon.server.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerFrame.KindCase;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The rendezvous server's side of a connection, with virtual time. */
class PeerLogicTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");

  private boolean admitted = true;
  private long now = Long.MAX_VALUE - 1_000_000_000L;
  private final PeerLogic logic =
      new PeerLogic(7, 2, (number, generation) -> admitted, Security.MUTUAL, now);

  private void open() {
    assertThat(logic.onFrame(PeerFrames.hello(7, 2, 4), now))
        .containsExactly(new PeerEffect.Admit(4));
    assertThat(sent(logic.onAdmitted("printing", Map.of("cellar", 2), 1)))
        .extracting(PeerFrame::getKindCase)
        .containsExactly(KindCase.WELCOME, KindCase.DENY_LIST_PART);
  }

  private static List<PeerFrame> sent(List<PeerEffect> effects) {
    return effects.stream().map(effect -> ((PeerEffect.Send) effect).frame()).toList();
  }

  private static void assertEnded(List<PeerEffect> effects, PeerEnd end) {
    assertThat(effects).last().isEqualTo(new PeerEffect.Close(end));
    assertThat(((PeerEffect.Send) effects.getFirst()).frame().getBye().getCode())
        .isEqualTo(end.code());
  }

  @Test
  void welcomesAServerAndTellsItTheWholeDenyList() {
    open();

    assertThat(logic.isOpen()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"8, 2", "7, 1", "0, 0"})
  void refusesAHelloThatIsNotTheCertificates(int number, int generation) {
    assertEnded(logic.onFrame(PeerFrames.hello(number, generation, 0), now), PeerEnd.WRONG_NUMBER);
  }

  @Test
  void refusesAServerThatWasRemoved() {
    admitted = false;

    assertEnded(logic.onFrame(PeerFrames.hello(7, 2, 0), now), PeerEnd.REMOVED);
  }

  @Test
  void refusesAServerThatIsRemovedWhileItIsAdmitted() {
    logic.onFrame(PeerFrames.hello(7, 2, 0), now);
    admitted = false;

    assertEnded(logic.onAdmitted("printing", Map.of(), 1), PeerEnd.REMOVED);
  }

  @ParameterizedTest
  @EnumSource(
      value = KindCase.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"HELLO", "BYE", "KIND_NOT_SET"})
  void takesNothingBeforeHello(KindCase kind) {
    assertEnded(logic.onFrame(Frames.ofKind(kind), now), PeerEnd.PROTOCOL_ERROR);
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "HELLO",
        "WELCOME",
        "WAKE_ANSWER",
        "WAKE_EVIDENCE",
        "DEVICE_ANSWER",
        "DENY_LIST_PART",
        "DIRECTORY_CONTENTS",
        "RENEWAL"
      })
  void takesNoFramesThatOnlyItSends(KindCase kind) {
    open();

    assertEnded(logic.onFrame(Frames.ofKind(kind), now), PeerEnd.PROTOCOL_ERROR);
  }

  @Test
  void waitsFiveSecondsForHello() {
    now += Duration.ofMillis(4_999).toNanos();
    assertThat(logic.onTime(now)).isEmpty();
    now += Duration.ofMillis(1).toNanos();

    assertEnded(logic.onTime(now), PeerEnd.SILENT);
  }

  @Test
  void passesRequestsOnAndAnswersThem() {
    open();

    assertThat(logic.onFrame(PeerFrames.wakeRequest(3, "kitchen", 99), now))
        .containsExactly(new PeerEffect.Wake(3, KITCHEN, 99));
    assertThat(sent(logic.onWakeAsked(3, 55, "")))
        .containsExactly(PeerFrames.wakeAnswer(3, 55, ""));
    assertThat(logic.onFrame(PeerFrames.deviceQuery(4, "kitchen"), now))
        .containsExactly(new PeerEffect.ReadDevice(4, KITCHEN));
    assertThat(sent(logic.onDeviceRead(4, true, 2, false)))
        .containsExactly(PeerFrames.deviceAnswer(4, true, 2, false));
    assertThat(logic.onFrame(PeerFrames.wakeServed("kitchen"), now))
        .containsExactly(new PeerEffect.Served(KITCHEN));
  }

  @Test
  void endsTheConnectionOfWhoNamesNoDevice() {
    open();

    assertEnded(
        logic.onFrame(PeerFrames.wakeRequest(3, "no device", 99), now), PeerEnd.PROTOCOL_ERROR);
  }

  @Test
  void readsNoFurtherWhileTooMuchIsUnderWay() {
    open();
    for (int i = 1; i < PeerLogic.MAX_REQUESTS; i++) {
      assertThat(logic.onFrame(PeerFrames.deviceQuery(i, "kitchen"), now)).hasSize(1);
    }

    assertThat(logic.onFrame(PeerFrames.deviceQuery(999, "kitchen"), now))
        .last()
        .isEqualTo(new PeerEffect.PauseReading());
    assertThat(logic.onDeviceRead(1, false, 0, false))
        .first()
        .isEqualTo(new PeerEffect.ResumeReading());
  }

  @Test
  void saysNothingOfDenialsBeforeTheWholeList() {
    logic.onFrame(PeerFrames.hello(7, 2, 0), now);
    assertThat(logic.onDenied(KITCHEN, 3)).isEmpty();

    logic.onAdmitted("printing", Map.of("kitchen", 3), 1);
    assertThat(sent(logic.onDenied(KITCHEN, 4))).containsExactly(PeerFrames.denied("kitchen", 4));
  }

  @Test
  void endsASilentConnectionAfterTenSeconds() {
    open();
    now += Duration.ofSeconds(4).toNanos();
    assertThat(sent(logic.onTime(now))).containsExactly(PeerFrames.PING);
    now += Duration.ofSeconds(6).toNanos();

    assertEnded(logic.onTime(now), PeerEnd.SILENT);
    assertThat(logic.onFrame(PeerFrames.PONG, now)).isEmpty();
  }

  @Test
  void keepsNoWakeLongerThanACommandCanBe() {
    long now = 1_000_000_000_000L;
    long longest = now + Duration.ofDays(365).toMillis();

    assertThat(PeerHandler.latest(now + 5, now)).isEqualTo(now + 5);
    assertThat(PeerHandler.latest(Long.MAX_VALUE, now)).isEqualTo(longest);
    assertThat(PeerHandler.latest(Long.MIN_VALUE, now)).isEqualTo(Long.MIN_VALUE);
  }

  @Test
  void cutsALongDenyListIntoFramesThatFit() {
    Map<String, Integer> many = new HashMap<>();
    for (int i = 0; i < 2 * PeerFrames.MAX_DENIED + 1; i++) {
      many.put("%064d".formatted(i), 65_535);
    }

    List<PeerFrame> frames = PeerFrames.denyList(many);

    assertThat(frames).hasSize(3);
    assertThat(frames).allMatch(frame -> frame.getSerializedSize() < 65_536);
    assertThat(frames.stream().map(frame -> frame.getDenyListPart().getLast()))
        .containsExactly(false, false, true);
  }
}
