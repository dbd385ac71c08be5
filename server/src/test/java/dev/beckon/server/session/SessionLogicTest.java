package dev.beckon.server.session;

import static dev.beckon.server.session.SessionFrames.ID_A;
import static dev.beckon.server.session.SessionFrames.ID_B;
import static dev.beckon.server.session.SessionFrames.chunk;
import static dev.beckon.server.session.SessionFrames.command;
import static dev.beckon.server.session.SessionFrames.commandWithBody;
import static dev.beckon.server.session.SessionFrames.hello;
import static dev.beckon.server.session.SessionFrames.inquiry;
import static dev.beckon.server.session.SessionFrames.update;
import static dev.beckon.server.session.SessionFrames.updateWithBody;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.RenewalRequest;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Welcome;
import dev.beckon.server.directory.SignedList;
import dev.beckon.server.session.SessionLogic.Phase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SessionLogicTest {

  /** Just before the elapsed clock wraps, so that every comparison is tried across it. */
  private static final long START = Long.MAX_VALUE - Duration.ofSeconds(3).toNanos();

  private static final long SECOND = 1_000_000_000L;

  private static final Effect.Holding NOTHING_HELD = new Effect.Holding(0, ByteString.EMPTY);

  private final SessionConfig config = SessionConfig.defaults();
  private boolean denied;
  private long now = START;
  private Optional<SignedList> directory = Optional.empty();
  private final SessionLogic logic =
      new SessionLogic(
          config,
          "kitchen",
          3,
          (id, generation) -> denied,
          ServerNumbers.delivering(0),
          () -> directory,
          now);

  // ---- Hello

  @Test
  void admitsTheDeviceThatTheCertificateNames() {
    List<Effect> effects = logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 77), now);

    assertThat(effects)
        .containsExactly(
            new Effect.Admit(0, 77, true),
            new Effect.ReadDevice(ByteString.EMPTY, NOTHING_HELD),
            new Effect.HandOver(Set.of(), 16));
  }

  @Test
  void asksForNoCommandsBeforeAnInquiry() {
    List<Effect> effects = logic.onFrame(hello("kitchen", Delivery.DELIVERY_INQUIRY, 0), now);

    assertThat(effects)
        .containsExactly(
            new Effect.Admit(0, 0, false), new Effect.ReadDevice(ByteString.EMPTY, NOTHING_HELD));
  }

  @Test
  void refusesAHelloForAnotherDevice() {
    List<Effect> effects = logic.onFrame(hello("cellar", Delivery.DELIVERY_PUSH, 0), now);

    assertThat(bye(effects).getReason()).isEqualTo(ByeReason.DEVICE_MISMATCH);
    assertThat(effects).endsWith(new Effect.Close(CloseReason.DEVICE_MISMATCH)).hasSize(2);
  }

  @Test
  void refusesADeniedGeneration() {
    denied = true;

    List<Effect> effects = logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 0), now);

    assertThat(bye(effects).getReason()).isEqualTo(ByeReason.REVOKED);
    assertThat(effects).endsWith(new Effect.Close(CloseReason.REVOKED)).hasSize(2);
  }

  @Test
  void refusesAHelloWithoutADelivery() {
    assertThat(closedBy(hello("kitchen", Delivery.DELIVERY_UNSPECIFIED, 0)))
        .isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void refusesAnActionsHashThatIsNoSha256() {
    Frame hello =
        Frame.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setDeviceId("kitchen")
                    .setDelivery(Delivery.DELIVERY_PUSH)
                    .setActionsHash(ByteString.copyFrom(new byte[31])))
            .build();

    assertThat(closedBy(hello)).isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void closesAConnectionThatSaysNoHello() {
    assertThat(logic.onTime(now + 5 * SECOND - 1)).isEmpty();

    List<Effect> effects = logic.onTime(now + 5 * SECOND);

    assertThat(effects).endsWith(new Effect.Close(CloseReason.TOO_SLOW));
  }

  @Test
  void framesOfAnUnknownKindDoNotPutOffTheHelloDeadline() {
    logic.onFrame(Frame.getDefaultInstance(), now + 4 * SECOND);

    assertThat(logic.onTime(now + 5 * SECOND)).endsWith(new Effect.Close(CloseReason.TOO_SLOW));
  }

  // ---- what is a device's to say, and when: every phase with every kind of frame

  @ParameterizedTest
  @CsvSource({
    "AWAITING_HELLO, HELLO,               GREETING",
    "AWAITING_HELLO, BYE,                 CLOSED",
    "AWAITING_HELLO, KIND_NOT_SET,        AWAITING_HELLO",
    "AWAITING_HELLO, INQUIRY,             refused",
    "AWAITING_HELLO, UPDATE,              refused",
    "AWAITING_HELLO, BODY_CHUNK,          refused",
    "AWAITING_HELLO, ACTIONS,             refused",
    "GREETING,       HELLO,               refused",
    "GREETING,       BYE,                 CLOSED",
    "GREETING,       KIND_NOT_SET,        GREETING",
    "GREETING,       INQUIRY,             GREETING",
    "GREETING,       UPDATE,              GREETING",
    "GREETING,       BODY_CHUNK,          refused",
    "GREETING,       ACTIONS,             GREETING",
    "OPEN,           HELLO,               refused",
    "OPEN,           BYE,                 CLOSED",
    "OPEN,           KIND_NOT_SET,        OPEN",
    "OPEN,           INQUIRY,             OPEN",
    "OPEN,           UPDATE,              OPEN",
    "OPEN,           BODY_CHUNK,          refused",
    "OPEN,           ACTIONS,             OPEN",
    "OPEN,           DIRECTORY_REQUEST,   OPEN",
    "OPEN,           UNKNOWN_SERVER,      OPEN",
    "CLOSED,         HELLO,               CLOSED",
    "CLOSED,         BYE,                 CLOSED",
    "CLOSED,         UPDATE,              CLOSED",
    "CLOSED,         INQUIRY,             CLOSED",
    "CLOSED,         ACTIONS,             CLOSED",
    "CLOSED,         BODY_CHUNK,          CLOSED",
    "CLOSED,         KIND_NOT_SET,        CLOSED",
  })
  void takesAFrameInAPhase(Phase phase, Frame.KindCase kind, String expected) {
    bringTo(phase);

    List<Effect> effects = logic.onFrame(SessionFrames.ofKind(kind), now);

    if (expected.equals("refused")) {
      assertThat(effects).endsWith(new Effect.Close(CloseReason.PROTOCOL_ERROR)).hasSize(2);
      assertThat(bye(effects).getReason()).isEqualTo(ByeReason.PROTOCOL_ERROR);
    } else {
      assertThat(logic.phase()).isEqualTo(Phase.valueOf(expected));
    }
    if (phase == Phase.CLOSED) {
      assertThat(effects).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Frame.KindCase.class,
      names = {
        "WELCOME",
        "INQUIRY_ANSWER",
        "COMMAND",
        "RECEIPT",
        "CANCELLATION",
        "ENROLLMENT_REQUEST",
        "ENROLLMENT_ANSWER",
        "ENROLLMENT_REFUSAL"
      })
  void refusesFramesThatAreNotASessionDevices(Frame.KindCase kind) {
    open(Delivery.DELIVERY_PUSH);

    assertThat(closedBy(SessionFrames.ofKind(kind))).isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  // ---- handing over

  @Test
  void pushesBehindWelcomeInOrderOfAcceptance() {
    logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 0), now);

    assertThat(logic.onHandedOver(List.of(command(ID_A), command(ID_B)), List.of(), now)).isEmpty();
    List<Effect> effects =
        logic.onDeviceRead(new Greeting(true, false, 1_000, true, List.of()), now);

    assertThat(effects)
        .containsExactly(
            send(
                Frame.newBuilder()
                    .setWelcome(
                        Welcome.newBuilder()
                            .setServerTimeMillis(1_000)
                            .setLingerMillis(5_000)
                            .setActionsWanted(true))
                    .build()),
            send(Frames.command(command(ID_A))),
            send(Frames.command(command(ID_B))));
  }

  @Test
  void answersAnInquiryWithTheNumberOfCommandsThatFollow() {
    open(Delivery.DELIVERY_INQUIRY);

    assertThat(logic.onFrame(inquiry(5), now))
        .containsExactly(new Effect.Inquired(5), new Effect.HandOver(Set.of(), 16));
    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(), now))
        .containsExactly(send(Frames.inquiryAnswer(1)), send(Frames.command(command(ID_A))));
  }

  @Test
  void answersAnInquiryThatFindsNothing() {
    open(Delivery.DELIVERY_INQUIRY);
    logic.onFrame(inquiry(0), now);

    assertThat(logic.onHandedOver(List.of(), List.of(), now))
        .containsExactly(send(Frames.inquiryAnswer(0)));
  }

  @Test
  void asksAgainForAnInquiryThatCameDuringAnEarlierOne() {
    open(Delivery.DELIVERY_INQUIRY);
    logic.onFrame(inquiry(1), now);
    assertThat(logic.onFrame(inquiry(2), now)).containsExactly(new Effect.Inquired(2));

    assertThat(logic.onHandedOver(List.of(), List.of(), now))
        .containsExactly(send(Frames.inquiryAnswer(0)), new Effect.HandOver(Set.of(), 16));
    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(), now))
        .containsExactly(send(Frames.inquiryAnswer(1)), send(Frames.command(command(ID_A))));
  }

  @Test
  void doesNotPushIntoAnInquirySession() {
    open(Delivery.DELIVERY_INQUIRY);

    assertThat(logic.takesPushes()).isFalse();
    assertThat(logic.onCommandsWaiting(now)).isEmpty();
  }

  @Test
  void pushesANewCommandIntoAnOpenSession() {
    open(Delivery.DELIVERY_PUSH);

    assertThat(logic.takesPushes()).isTrue();
    assertThat(logic.onCommandsWaiting(now)).containsExactly(new Effect.HandOver(Set.of(), 16));
    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(), now))
        .containsExactly(send(Frames.command(command(ID_A))));
  }

  @Test
  void keepsAtMostSixteenCommandsInFlight() {
    open(Delivery.DELIVERY_PUSH);
    logic.onCommandsWaiting(now);
    List<Command> first =
        IntStream.range(0, 16).mapToObj(i -> command(SessionFrames.id(i))).toList();
    assertThat(logic.onHandedOver(first, List.of(), now)).hasSize(16);
    assertThat(logic.onCommandsWaiting(now)).isEmpty();

    logic.onFrame(update(SessionFrames.id(4), State.SUCCEEDED), now);
    List<Effect> effects = logic.onStored(SessionFrames.id(4), true, true, now);

    assertThat(effects.get(0)).isEqualTo(send(Frames.receipt(SessionFrames.id(4))));
    assertThat(effects.get(1))
        .isInstanceOfSatisfying(
            Effect.HandOver.class,
            ask -> {
              assertThat(ask.limit()).isEqualTo(1);
              assertThat(ask.inFlight()).hasSize(15).doesNotContain(SessionFrames.id(4));
            });
  }

  @Test
  void announcesTheRestOfAnInquiryAsPlacesGetFree() {
    open(Delivery.DELIVERY_INQUIRY);
    logic.onFrame(inquiry(0), now);
    List<Command> first =
        IntStream.range(0, 16).mapToObj(i -> command(SessionFrames.id(i))).toList();
    logic.onHandedOver(first, List.of(), now);
    logic.onStored(SessionFrames.id(0), true, true, now);

    assertThat(logic.onHandedOver(List.of(command(SessionFrames.id(16))), List.of(), now))
        .containsExactly(
            send(Frames.inquiryAnswer(1)), send(Frames.command(command(SessionFrames.id(16)))));
  }

  @Test
  void neverSendsACommandBehindItsReceipt() {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));
    logic.onCommandsWaiting(now);
    logic.onFrame(update(ID_A, State.SUCCEEDED), now);
    logic.onStored(ID_A, true, true, now);

    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(), now)).isEmpty();
  }

  @Test
  void neverSendsACommandTwiceInOneSession() {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));
    logic.onCommandsWaiting(now);

    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(), now)).isEmpty();
  }

  // ---- updates

  @ParameterizedTest
  @EnumSource(
      value = State.class,
      names = {"SUCCEEDED", "FAILED", "REJECTED", "EXPIRED", "CANCELLED", "UNKNOWN"})
  void receiptsAnEndOnlyWhenItIsDurable(State state) {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));

    assertThat(logic.onFrame(update(ID_A, state), now))
        .containsExactly(new Effect.Store(update(ID_A, state).getUpdate(), null));
    assertThat(logic.onStored(ID_A, true, true, now)).containsExactly(send(Frames.receipt(ID_A)));
  }

  @ParameterizedTest
  @EnumSource(
      value = State.class,
      names = {"DELIVERED", "RUNNING"})
  void receiptsNothingBeforeTheEnd(State state) {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));
    logic.onFrame(update(ID_A, state), now);

    assertThat(logic.onStored(ID_A, false, false, now)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = State.class,
      names = {"STATE_UNSPECIFIED", "QUEUED"})
  void refusesStatesThatAreNotTheDevicesToSay(State state) {
    open(Delivery.DELIVERY_PUSH);

    assertThat(closedBy(update(ID_A, state))).isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void holdsReceiptsBackBehindWelcome() {
    logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 0), now);
    logic.onFrame(update(ID_A, State.SUCCEEDED), now);

    assertThat(logic.onStored(ID_A, true, true, now)).isEmpty();
    List<Effect> effects = logic.onDeviceRead(new Greeting(false, false, 0, true, List.of()), now);

    assertThat(sent(effects))
        .extracting(Frame::getKindCase)
        .containsExactly(Frame.KindCase.WELCOME, Frame.KindCase.RECEIPT);
  }

  @Test
  void makesTheDeviceWaitWhenTheStoreIsBehind() {
    open(Delivery.DELIVERY_PUSH);
    List<Effect> effects = new ArrayList<>();
    for (int i = 0; i < PendingStores.MAX; i++) {
      effects.addAll(logic.onFrame(update(ID_A, State.RUNNING), now));
    }
    assertThat(effects).filteredOn(Effect.PauseReading.class::isInstance).hasSize(1);

    effects.clear();
    for (int i = 0; i < PendingStores.MAX; i++) {
      effects.addAll(logic.onStored(ID_A, false, false, now));
    }
    assertThat(effects).filteredOn(Effect.ResumeReading.class::isInstance).hasSize(1);
  }

  @Test
  void keepsTheDevicesActions() {
    open(Delivery.DELIVERY_PUSH);

    assertThat(logic.onFrame(SessionFrames.ofKind(Frame.KindCase.ACTIONS), now))
        .containsExactly(new Effect.KeepActions(Actions.getDefaultInstance(), ByteString.EMPTY));
  }

  @Test
  void endsTheSessionWhenTheStoreFails() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(update(ID_A, State.SUCCEEDED), now);

    assertThat(logic.onStoreFailed()).endsWith(new Effect.Close(CloseReason.SERVER_FAILED));
  }

  // ---- bodies

  @Test
  void sendsABodyInChunksBehindItsCommand() {
    open(Delivery.DELIVERY_PUSH);
    logic.onCommandsWaiting(now);
    int length = 150_000;

    List<Effect> effects =
        logic.onHandedOver(List.of(commandWithBody(ID_A, length)), List.of(), now);
    assertThat(effects).endsWith(new Effect.ReadBody(ID_A, 0, 131_072));
    List<Effect> first = logic.onBodyRead(ID_A, new byte[131_072], now);
    List<Effect> second = logic.onBodyRead(ID_A, new byte[length - 131_072], now);

    assertThat(first).hasSize(5).endsWith(new Effect.ReadBody(ID_A, 131_072, 18_928));
    assertThat(sent(first))
        .extracting(f -> f.getBodyChunk().getOffset())
        .containsExactly(0L, 32_768L, 65_536L, 98_304L);
    assertThat(sent(second))
        .singleElement()
        .satisfies(
            f -> {
              assertThat(f.getBodyChunk().getLast()).isTrue();
              assertThat(f.getBodyChunk().getContent().size()).isEqualTo(18_928);
            });
  }

  @Test
  void readsNoBodyWhileTheConnectionIsFull() {
    open(Delivery.DELIVERY_PUSH);
    logic.onCommandsWaiting(now);
    logic.onHandedOver(List.of(commandWithBody(ID_A, 200_000)), List.of(), now);
    logic.onWritable(false);

    assertThat(logic.onBodyRead(ID_A, new byte[131_072], now)).hasSize(4);
    assertThat(logic.onWritable(true)).containsExactly(new Effect.ReadBody(ID_A, 131_072, 68_928));
  }

  @Test
  void dropsTheRestOfABodyWhoseCommandEnded() {
    open(Delivery.DELIVERY_PUSH);
    logic.onCommandsWaiting(now);
    logic.onHandedOver(
        List.of(commandWithBody(ID_A, 200_000), commandWithBody(ID_B, 10)), List.of(), now);
    logic.onStored(ID_A, true, true, now);

    assertThat(logic.onBodyRead(ID_A, new byte[131_072], now))
        .containsExactly(new Effect.ReadBody(ID_B, 0, 10));
  }

  @Test
  void storesAnUpdateWithItsWholeBody() {
    open(Delivery.DELIVERY_PUSH);
    Frame announced = updateWithBody(ID_A, State.SUCCEEDED, 5);

    assertThat(logic.onFrame(announced, now)).isEmpty();
    assertThat(logic.onFrame(chunk(ID_A, 0, "abc", false), now)).isEmpty();
    assertThat(logic.onFrame(chunk(ID_A, 3, "de", true), now))
        .containsExactly(
            new Effect.Store(announced.getUpdate(), new byte[] {'a', 'b', 'c', 'd', 'e'}));
    assertThat(logic.incomingBytes()).isZero();
  }

  @Test
  void takesInterleavedBodies() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(updateWithBody(ID_A, State.SUCCEEDED, 2), now);
    logic.onFrame(updateWithBody(ID_B, State.FAILED, 2), now);
    logic.onFrame(chunk(ID_A, 0, "a", false), now);
    logic.onFrame(chunk(ID_B, 0, "b", false), now);

    assertThat(logic.onFrame(chunk(ID_B, 1, "b", true), now)).hasSize(1);
    assertThat(logic.onFrame(chunk(ID_A, 1, "a", true), now)).hasSize(1);
  }

  @Test
  void holdsNoMoreThanArrivedOfABody() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(updateWithBody(ID_A, State.SUCCEEDED, 16 << 20), now);
    assertThat(logic.incomingBytes()).isZero();

    logic.onFrame(chunk(ID_A, 0, "abc", false), now);

    assertThat(logic.incomingBytes()).isEqualTo(3);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "gap,                 1, ab, false",
    "past the end,        0, abcdef, true",
    "last before the end, 0, ab, true",
    "end without last,    0, abcde, false",
  })
  void refusesABodyThatDoesNotFit(String what, long offset, String content, boolean last) {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(updateWithBody(ID_A, State.SUCCEEDED, 5), now);

    assertThat(closedBy(chunk(ID_A, offset, content, last)))
        .as(what)
        .isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @ParameterizedTest
  @CsvSource({"16777217", "-1", "-9223372036854775808"})
  void refusesABodyAboveTheLimit(long bodyBytes) {
    open(Delivery.DELIVERY_PUSH);

    assertThat(closedBy(updateWithBody(ID_A, State.SUCCEEDED, bodyBytes)))
        .isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void refusesAChunkAboveTheLimit() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(updateWithBody(ID_A, State.SUCCEEDED, 100_000), now);

    assertThat(closedBy(chunk(ID_A, 0, "x".repeat(32_769), false)))
        .isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void refusesTooManyBodiesAtOnce() {
    open(Delivery.DELIVERY_PUSH);
    for (int i = 0; i < IncomingBodies.MAX_AT_ONCE; i++) {
      logic.onFrame(updateWithBody(SessionFrames.id(i), State.SUCCEEDED, 5), now);
    }
    assertThat(logic.phase()).isEqualTo(Phase.OPEN);

    assertThat(closedBy(updateWithBody(ID_A, State.SUCCEEDED, 5)))
        .isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  // ---- time

  @Test
  void closesAnIdleSessionAfterTheLinger() {
    open(Delivery.DELIVERY_PUSH);
    logic.onHandedOver(List.of(), List.of(), now);

    assertThat(logic.onTime(now + 5 * SECOND - 1)).isEmpty();
    List<Effect> effects = logic.onTime(now + 5 * SECOND);

    assertThat(bye(effects).getReason()).isEqualTo(ByeReason.IDLE);
    assertThat(effects).endsWith(new Effect.Close(CloseReason.IDLE));
  }

  @Test
  void closesSoonWhenTheWakeCarriedADialBackDelay() {
    logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 9), now);
    List<Effect> effects = logic.onDeviceRead(new Greeting(false, false, 0, false, List.of()), now);
    logic.onHandedOver(List.of(), List.of(), now);

    assertThat(sent(effects).get(0).getWelcome().getLingerMillis()).isZero();
    assertThat(logic.onTime(now + SessionLogic.SHORT_LINGER_NANOS))
        .endsWith(new Effect.Close(CloseReason.IDLE));
  }

  @Test
  void staysOpenWhileACommandRuns() {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));
    logic.onFrame(update(ID_A, State.RUNNING), now);
    logic.onStored(ID_A, false, false, now);

    assertThat(logic.deadlineNanos()).isEmpty();
    assertThat(logic.onTime(now + 3_600 * SECOND)).isEmpty();
  }

  @Test
  void staysOpenForACommandThatRanBeforeTheSession() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(update(ID_A, State.RUNNING), now);
    logic.onStored(ID_A, false, false, now);

    assertThat(logic.deadlineNanos()).isEmpty();
  }

  @Test
  void lingersFromTheEndOfTheLastCommand() {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));
    logic.onFrame(update(ID_A, State.RUNNING), now);
    logic.onStored(ID_A, false, false, now);
    now += 60 * SECOND;
    logic.onFrame(update(ID_A, State.SUCCEEDED), now);
    logic.onStored(ID_A, true, true, now);

    assertThat(logic.onTime(now + 5 * SECOND - 1)).isEmpty();
    assertThat(logic.onTime(now + 5 * SECOND)).endsWith(new Effect.Close(CloseReason.IDLE));
  }

  @Test
  void goesIdleWhenACommandEndsElsewhere() {
    open(Delivery.DELIVERY_PUSH);
    handOver(command(ID_A));
    logic.onFrame(update(ID_A, State.DELIVERED), now);
    logic.onStored(ID_A, false, false, now);
    logic.onCommandEnded(ID_A);

    assertThat(logic.onTime(now + 5 * SECOND)).endsWith(new Effect.Close(CloseReason.IDLE));
  }

  @Test
  void closesADeviceThatDoesNotAcknowledgeACommand() {
    open(Delivery.DELIVERY_PUSH);
    now += SECOND;
    handOver(command(ID_A));
    logic.onHandedOver(List.of(), List.of(), now + 20 * SECOND);

    assertThat(logic.onTime(now + 30 * SECOND - 1)).isEmpty();
    assertThat(logic.onTime(now + 30 * SECOND)).endsWith(new Effect.Close(CloseReason.TOO_SLOW));
  }

  @Test
  void closesADeviceThatStopsAmidABody() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(updateWithBody(ID_A, State.SUCCEEDED, 5), now);
    logic.onFrame(chunk(ID_A, 0, "ab", false), now + 10 * SECOND);

    assertThat(logic.onTime(now + 40 * SECOND - 1)).isEmpty();
    assertThat(logic.onTime(now + 40 * SECOND)).endsWith(new Effect.Close(CloseReason.TOO_SLOW));
  }

  @Test
  void givesUpOnAStoreThatDoesNotAnswer() {
    logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 0), now);

    assertThat(logic.onTime(now + 30 * SECOND))
        .endsWith(new Effect.Close(CloseReason.SERVER_FAILED));
  }

  // ---- cancelling and ends

  @Test
  void asksTheDeviceToCancel() {
    open(Delivery.DELIVERY_INQUIRY);

    assertThat(logic.onCancelAsked(ID_A)).containsExactly(send(Frames.cancellation(ID_A)));
  }

  @Test
  void passesOnCancellationsFromBeforeTheSession() {
    open(Delivery.DELIVERY_PUSH);

    assertThat(logic.onHandedOver(List.of(command(ID_B)), List.of(ID_A), now))
        .containsExactly(send(Frames.cancellation(ID_A)), send(Frames.command(command(ID_B))));
  }

  @ParameterizedTest
  @CsvSource({
    "REPLACED, REPLACED",
    "REVOKED, REVOKED",
    "SHUTTING_DOWN, SHUTTING_DOWN",
  })
  void saysWhyItEnds(CloseReason reason, ByeReason expected) {
    open(Delivery.DELIVERY_PUSH);

    List<Effect> effects = logic.onClose(reason, "");

    assertThat(bye(effects).getReason()).isEqualTo(expected);
    assertThat(effects).endsWith(new Effect.Close(reason));
    assertThat(logic.takesPushes()).isFalse();
  }

  @Test
  void saysNothingToAConnectionThatIsLost() {
    open(Delivery.DELIVERY_PUSH);

    assertThat(logic.onConnectionLost())
        .containsExactly(new Effect.Close(CloseReason.CONNECTION_LOST));
  }

  @Test
  void everyInputAfterTheEndIsIgnored() {
    bringTo(Phase.CLOSED);

    assertThat(logic.onDeviceRead(new Greeting(true, false, 0, true, List.of()), now)).isEmpty();
    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(ID_B), now)).isEmpty();
    assertThat(logic.onBodyRead(ID_A, new byte[1], now)).isEmpty();
    assertThat(logic.onStored(ID_A, true, true, now)).isEmpty();
    assertThat(logic.onActionsKept(now)).isEmpty();
    assertThat(logic.onStoreFailed()).isEmpty();
    assertThat(logic.onCommandsWaiting(now)).isEmpty();
    assertThat(logic.onCommandEnded(ID_A)).isEmpty();
    assertThat(logic.onCancelAsked(ID_A)).isEmpty();
    assertThat(logic.onWritable(true)).isEmpty();
    assertThat(logic.onClose(CloseReason.REVOKED, "")).isEmpty();
    assertThat(logic.onConnectionLost()).isEmpty();
    assertThat(logic.deadlineNanos()).isEmpty();
  }

  // ---- renewal

  @Test
  void looksUpWhatTheDeviceHoldsAndSaysThatItShallRenew() {
    ByteString roots = ByteString.copyFrom(new byte[32]);
    Hello hello =
        hello("kitchen", Delivery.DELIVERY_PUSH, 0).getHello().toBuilder()
            .setKeyId(4)
            .setRootsHash(roots)
            .build();

    assertThat(logic.onFrame(Frame.newBuilder().setHello(hello).build(), now))
        .contains(new Effect.ReadDevice(ByteString.EMPTY, new Effect.Holding(4, roots)));
    Frame welcome =
        sent(logic.onDeviceRead(new Greeting(false, true, 0, true, List.of()), now)).getFirst();
    assertThat(welcome.getWelcome().getRenewalWanted()).isTrue();
  }

  @Test
  void keepsASessionOpenWhileTheNewIdentityIsMade() {
    open(Delivery.DELIVERY_PUSH);

    assertThat(logic.onFrame(renewalRequest(), now))
        .containsExactly(new Effect.Renew(ByteString.copyFromUtf8("request")));
    assertThat(logic.deadlineNanos()).as("not idle").isEmpty();
    Renewal renewal = Renewal.newBuilder().setKeyId(2).build();
    assertThat(logic.onRenewed(renewal, now)).containsExactly(send(Frames.renewal(renewal)));
    assertThat(logic.deadlineNanos()).as("idle again").isPresent();
  }

  @Test
  void renewsOncePerSession() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(renewalRequest(), now);
    logic.onRenewed(Renewal.getDefaultInstance(), now);

    assertThat(closedBy(renewalRequest())).isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void renewsNobodyBeforeHello() {
    assertThat(closedBy(renewalRequest())).isEqualTo(CloseReason.PROTOCOL_ERROR);
  }

  @Test
  void sendsNoNewIdentityToADeviceThatWasRevokedMeanwhile() {
    open(Delivery.DELIVERY_PUSH);
    logic.onFrame(renewalRequest(), now);
    logic.onClose(CloseReason.REVOKED, "");

    assertThat(logic.onRenewed(Renewal.getDefaultInstance(), now)).isEmpty();
  }

  private static Frame renewalRequest() {
    return Frame.newBuilder()
        .setRenewalRequest(
            RenewalRequest.newBuilder().setCertificateRequest(ByteString.copyFromUtf8("request")))
        .build();
  }

  // ---- steps

  private void bringTo(Phase phase) {
    switch (phase) {
      case AWAITING_HELLO -> {}
      case GREETING -> logic.onFrame(hello("kitchen", Delivery.DELIVERY_PUSH, 0), now);
      case OPEN -> open(Delivery.DELIVERY_PUSH);
      case CLOSED -> {
        open(Delivery.DELIVERY_PUSH);
        logic.onClose(CloseReason.IDLE, "");
      }
    }
    assertThat(logic.phase()).isEqualTo(phase);
  }

  private void open(Delivery delivery) {
    logic.onFrame(hello("kitchen", delivery, 0), now);
    logic.onDeviceRead(new Greeting(false, false, 0, true, List.of()), now);
    if (delivery == Delivery.DELIVERY_PUSH) {
      logic.onHandedOver(List.of(), List.of(), now);
    }
  }

  private void handOver(Command... commands) {
    logic.onCommandsWaiting(now);
    logic.onHandedOver(Arrays.asList(commands), List.of(), now);
  }

  private CloseReason closedBy(Frame frame) {
    List<Effect> effects = logic.onFrame(frame, now);
    assertThat(effects).isNotEmpty().last().isInstanceOf(Effect.Close.class);
    return ((Effect.Close) effects.get(effects.size() - 1)).reason();
  }

  private static Effect.Send send(Frame frame) {
    return new Effect.Send(frame);
  }

  private static List<Frame> sent(List<Effect> effects) {
    return effects.stream()
        .filter(Effect.Send.class::isInstance)
        .map(e -> ((Effect.Send) e).frame())
        .toList();
  }

  private static Bye bye(List<Effect> effects) {
    assertThat(effects).hasSizeGreaterThanOrEqualTo(2);
    Frame frame = ((Effect.Send) effects.get(effects.size() - 2)).frame();
    assertThat(frame.getKindCase()).isEqualTo(Frame.KindCase.BYE);
    return frame.getBye();
  }
}
