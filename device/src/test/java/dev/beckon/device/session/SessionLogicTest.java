package dev.beckon.device.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandEffect;
import dev.beckon.device.command.CommandKey;
import dev.beckon.device.command.CommandLogic;
import dev.beckon.device.command.FakeJournal;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Cancellation;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.DirectoryPart;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.InquiryAnswer;
import dev.beckon.protocol.session.Receipt;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.protocol.session.Welcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** One session, frame by frame, in virtual time. */
class SessionLogicTest {
  private static final Class<SessionEffect.Renew> RENEW = SessionEffect.Renew.class;
  private static final long HALF_LIFE = Long.MAX_VALUE / 2;

  private Held held = new Held(3, ByteString.copyFromUtf8("roots"), HALF_LIFE, false);
  private static final long WALL = 1_800_000_000_000L;
  private static final long SECOND = 1_000_000_000L;
  private static final String ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  private static final String OTHER = "01ARZ3NDEKTSV4RRFFQ69G5FAW";

  private static final CommandKey KEY = new CommandKey(0, ID);

  private final FakeJournal journal = new FakeJournal();
  private final CommandLogic commands = new CommandLogic("kitchen", journal, command -> null, WALL);
  private final List<String> bodies = new ArrayList<>();
  private boolean diskFull;
  private long heldVersion;
  private long now = Long.MAX_VALUE - 1;
  private SessionLogic logic = session(Delivery.DELIVERY_PUSH, 9);

  @Test
  void saysHelloFirstAndNamesTheWake() {
    Frame hello = sent(logic.onConnected("", now)).get(0);

    assertThat(hello.getHello().getDeviceId()).isEqualTo("kitchen");
    assertThat(hello.getHello().getWakeId()).isEqualTo(9);
    assertThat(hello.getHello().getDelivery()).isEqualTo(Delivery.DELIVERY_PUSH);
    assertThat(hello.getHello().getActionsHash()).isEqualTo(ByteString.copyFromUtf8("hash"));
  }

  @Test
  void namesTheNewestWakeThatCameWhileDialling() {
    logic.onWake(10, now);

    assertThat(sent(logic.onConnected("", now)).get(0).getHello().getWakeId()).isEqualTo(10);
  }

  @Test
  void runsAPushedCommandAndReportsIt() {
    open();

    assertThat(text(receive(command(ID))))
        .containsExactly("UPDATE DELIVERED", "UPDATE RUNNING", "run");
    assertThat(
            text(
                logic.onCommandEffects(
                    commands.onEnded(KEY, State.SUCCEEDED, "", Map.of(), 0, WALL))))
        .containsExactly("UPDATE SUCCEEDED");
    assertThat(text(receive(receipt(ID)))).containsExactly("discard");
  }

  @Test
  void asksForCommandsIfItIsTheOneWhoAsks() {
    logic = session(Delivery.DELIVERY_INQUIRY, 9);

    List<Frame> frames = sent(open());
    assertThat(frames).hasSize(1);
    assertThat(frames.get(0).getInquiry().getWakeId()).isEqualTo(9);
    receive(inquiryAnswer());
    assertThat(text(receive(command(ID)))).contains("run");
  }

  @Test
  void takesNoCommandThatItHasNotAskedFor() {
    logic = session(Delivery.DELIVERY_INQUIRY, 9);
    open();

    assertThat(text(receive(command(ID)))).containsExactly("BYE PROTOCOL_ERROR", "close");
    assertThat(journal.log).isEmpty();
  }

  @Test
  void takesAnnouncedCommandsThatAreUnderWayWhenItAsksAgain() {
    logic = session(Delivery.DELIVERY_INQUIRY, 9);
    open();
    receive(Frame.newBuilder().setInquiryAnswer(InquiryAnswer.newBuilder().setCommands(1)).build());
    logic.onWake(11, now);

    assertThat(text(receive(command(ID)))).contains("run");
    assertThat(text(receive(command(OTHER)))).containsExactly("BYE PROTOCOL_ERROR", "close");
  }

  @Test
  void asksAgainOnTheOpenSessionWhenAWakeComes() {
    logic = session(Delivery.DELIVERY_INQUIRY, 9);
    open();
    receive(inquiryAnswer());

    List<Frame> frames = sent(logic.onWake(11, now));
    assertThat(frames.get(0).getInquiry().getWakeId()).isEqualTo(11);
    assertThat(logic.isWakeUnserved()).isTrue();
    receive(inquiryAnswer());
    assertThat(logic.isWakeUnserved()).isFalse();
  }

  @Test
  void closesASessionThatTheServerSeemsToHaveLost() {
    open();
    logic.onWake(11, now);

    assertThat(tick(2)).isEmpty();
    assertThat(text(tick(1))).containsExactly("BYE IDLE", "close");
    assertThat(logic.isWakeUnserved()).isTrue();
  }

  @Test
  void keepsASessionThatServesTheWakeInTime() {
    open();
    logic.onWake(11, now);
    receive(command(ID));

    assertThat(tick(4)).isEmpty();
  }

  @Test
  void knowsThatItsWakeWasNotServedIfTheSessionBreaksBeforeAnyCommand() {
    open();
    assertThat(logic.isWakeUnserved()).as("if it broke now").isTrue();
    receive(command(ID));
    assertThat(logic.isWakeUnserved()).isFalse();

    logic = session(Delivery.DELIVERY_PUSH, 9);
    open();
    receive(bye(ByeReason.IDLE));
    assertThat(logic.isWakeUnserved()).as("the server had nothing to hand over").isFalse();

    logic = session(Delivery.DELIVERY_PUSH, 9);
    open();
    receive(bye(ByeReason.SHUTTING_DOWN));
    assertThat(logic.isWakeUnserved()).as("the server may have had something").isTrue();

    logic = session(Delivery.DELIVERY_PUSH, 0);
    open();
    assertThat(logic.isWakeUnserved()).as("it followed no wake").isFalse();
  }

  @Test
  void sendsItsActionsWhenTheServerWantsThem() {
    logic.onConnected("", now);
    List<Frame> frames = sent(receive(welcome(true)));

    assertThat(frames.get(0).getActions().getActions(0).getName()).isEqualTo("echo");
    assertThat(text(receive(bye(ByeReason.IDLE))))
        .as("the server has read them by now")
        .containsExactly("actions-confirmed", "close");
  }

  @Test
  void repeatsUnreportedEndsRightBehindTheWelcome() {
    commands.onCommand(0, command(ID).getCommand(), WALL);
    commands.onEnded(KEY, State.SUCCEEDED, "", Map.of(), 5, WALL);

    assertThat(text(open()))
        .containsExactly("welcomed", "actions-confirmed", "UPDATE SUCCEEDED", "body");
  }

  @Test
  void receivesABodyBeforeItAcknowledges() {
    open();
    assertThat(receive(withBody(command(ID), 5))).isEmpty();
    assertThat(text(receive(chunk(ID, 0, "ab", false)))).isEmpty();
    assertThat(journal.log).isEmpty();

    assertThat(text(receive(chunk(ID, 2, "cde", true)))).contains("UPDATE DELIVERED", "run");
    assertThat(bodies).containsExactly("0 ab", "2 cde");
  }

  @Test
  void rejectsACommandWhoseBodyFindsNoRoom() {
    open();
    receive(withBody(command(ID), 5));
    diskFull = true;

    assertThat(text(receive(chunk(ID, 0, "ab", false)))).containsExactly("UPDATE REJECTED");
    assertThat(text(receive(chunk(ID, 2, "cde", true)))).as("the rest is read over").isEmpty();
  }

  @Test
  void knowsWhichBodiesAreOfNoUseWhenTheSessionBreaks() {
    open();
    receive(withBody(command(ID), 5));
    receive(withBody(command(OTHER), 5));
    receive(chunk(ID, 0, "ab", false));
    assertThat(logic.unfinishedBodies()).containsExactlyInAnyOrder(KEY, new CommandKey(0, OTHER));
    receive(chunk(OTHER, 0, "abcde", true));

    assertThat(logic.unfinishedBodies()).as("the other one is needed").containsExactly(KEY);
  }

  @Test
  void hangsUpOnAServerThatUsesItsMemoryUp() {
    open();
    for (int i = 0; i < 128; i++) {
      assertThat(text(receive(withBody(command(id(i)), 5)))).isEmpty();
      assertThat(text(receive(cancellation(id(1_000 + i))))).containsExactly("UPDATE CANCELLED");
    }
    assertThat(text(receive(cancellation(id(1_000))))).containsExactly("UPDATE CANCELLED");

    assertThat(text(receive(command(ID)))).containsExactly("BYE PROTOCOL_ERROR", "close");
    assertThat(commands.rememberedCount(0)).isEqualTo(128);
  }

  @Test
  void oneServerDoesNotUseUpTheRoomOfAnother() {
    open();
    for (int i = 0; i < 256; i++) {
      receive(cancellation(id(i)));
    }
    logic = session(Delivery.DELIVERY_PUSH, 9, 7);
    open();

    assertThat(text(receive(command(ID)))).contains("run");
  }

  private static String id(int number) {
    return String.format("01ARZ3NDEKTSV4RRFFQ6%06d", number);
  }

  private static Frame cancellation(String id) {
    return Frame.newBuilder().setCancellation(Cancellation.newBuilder().setCommandId(id)).build();
  }

  @Test
  void refusesABodyOutOfPlace() {
    List<Frame> bad =
        List.of(
            chunk(ID, 1, "ab", false),
            chunk(ID, 0, "abcdef", true),
            chunk(ID, 0, "abcde", false),
            chunk(ID, 0, "ab", true),
            chunk("01ARZ3NDEKTSV4RRFFQ69G5FAW", 0, "ab", false));
    for (Frame chunk : bad) {
      logic = session(Delivery.DELIVERY_PUSH, 9);
      open();
      receive(withBody(command(ID), 5));

      assertThat(text(receive(chunk))).containsExactly("BYE PROTOCOL_ERROR", "close");
    }
  }

  @Test
  void refusesABodyThatIsTooLong() {
    open();

    assertThat(text(receive(withBody(command(ID), 1_001))))
        .containsExactly("BYE PROTOCOL_ERROR", "close");
  }

  @Test
  void refusesACommandIdThatCouldNameAFile() {
    open();

    assertThat(text(receive(command("../../../../etc/passwd"))))
        .containsExactly("BYE PROTOCOL_ERROR", "close");
  }

  @Test
  void aCancellationStopsACommandWhoseBodyIsOnItsWay() {
    open();
    receive(withBody(command(ID), 5));
    Frame cancellation =
        Frame.newBuilder().setCancellation(Cancellation.newBuilder().setCommandId(ID)).build();

    assertThat(text(receive(cancellation))).containsExactly("UPDATE CANCELLED");
    assertThat(text(receive(chunk(ID, 0, "abcde", true)))).isEmpty();
  }

  @Test
  void takesNothingBeforeTheWelcome() {
    logic.onConnected("", now);

    assertThat(text(receive(command(ID)))).containsExactly("BYE PROTOCOL_ERROR", "close");
    assertThat(logic.wasWelcomed()).isFalse();
  }

  @Test
  void ignoresFramesOfALaterVersion() {
    open();

    assertThat(receive(Frame.getDefaultInstance())).isEmpty();
  }

  @Test
  void givesAServerUpThatDoesNotWelcomeIt() {
    logic.onConnected("", now);

    assertThat(tick(9)).isEmpty();
    assertThat(text(tick(1))).containsExactly("BYE TOO_SLOW", "close");
  }

  @Test
  void closesAnIdleSessionThatTheServerForgot() {
    open();

    assertThat(tick(34)).isEmpty();
    assertThat(text(tick(1))).containsExactly("BYE IDLE", "close");
  }

  @Test
  void keepsTheSessionWhileACommandRuns() {
    open();
    receive(command(ID));

    assertThat(tick(3_600)).isEmpty();
  }

  @Test
  void knowsThatARevokedDeviceNeedNotTryAgain() {
    logic.onConnected("", now);
    receive(bye(ByeReason.REVOKED));

    assertThat(logic.isRefused()).isTrue();
  }

  @Test
  void tellsAServerNothingOfAnotherServersCommand() {
    open();
    receive(command(ID));
    commands.onCommand(7, command(OTHER).getCommand(), WALL); // waits: the same action

    List<SessionEffect> effects =
        logic.onCommandEffects(commands.onEnded(KEY, State.SUCCEEDED, "", Map.of(), 0, WALL));
    assertThat(sent(effects)).hasSize(1);
    assertThat(sent(effects).get(0).getUpdate().getCommandId()).isEqualTo(ID);
    assertThat(text(effects)).as("it starts all the same").contains("run");
  }

  // ---- renewal

  @Test
  void tellsWhichKeyAndWhichRootsItHolds() {
    Hello hello = sent(logic.onConnected("", now)).get(0).getHello();

    assertThat(hello.getKeyId()).isEqualTo(3);
    assertThat(hello.getRootsHash().toStringUtf8()).isEqualTo("roots");
  }

  @Test
  void tellsItToTheRendezvousServerOnlyAndRenewsThereOnly() {
    logic = session(Delivery.DELIVERY_PUSH, 0, 7);

    Hello hello = sent(logic.onConnected("", now)).get(0).getHello();
    assertThat(hello.getKeyId()).isZero();
    assertThat(hello.getRootsHash().isEmpty()).isTrue();
    assertThat(receive(renewingWelcome(HALF_LIFE))).doesNotHaveAnyElementsOfTypes(RENEW);
  }

  @Test
  void renewsFromHalfOfItsCertificatesLifeByTheServersClock() {
    logic.onConnected("", now);
    assertThat(receive(plainWelcome(HALF_LIFE - 1))).doesNotHaveAnyElementsOfTypes(RENEW);

    logic = session(Delivery.DELIVERY_PUSH, 0);
    logic.onConnected("", now);
    assertThat(receive(plainWelcome(HALF_LIFE))).hasAtLeastOneElementOfType(RENEW);
  }

  @Test
  void renewsWhenTheServerSaysSo() {
    logic.onConnected("", now);

    assertThat(receive(renewingWelcome(0))).hasAtLeastOneElementOfType(RENEW);
    assertThat(
            logic
                .renewal()
                .onCertificateRequest(new byte[] {5})
                .frame()
                .getRenewalRequest()
                .getCertificateRequest()
                .toByteArray())
        .containsExactly(5);
    Renewal renewal = Renewal.newBuilder().setKeyId(4).build();
    assertThat(receive(renewal(renewal))).containsExactly(new SessionEffect.Renewed(renewal));
    assertThat(receive(renewal(renewal))).as("a second one").isEmpty();
  }

  @Test
  void doesNotRenewAgainInTheSessionThatFollowsARenewal() {
    held = new Held(3, ByteString.EMPTY, HALF_LIFE, true);
    logic.onConnected("", now);

    assertThat(receive(renewingWelcome(HALF_LIFE))).doesNotHaveAnyElementsOfTypes(RENEW);
  }

  @Test
  void takesNoRenewalThatItHasNotAskedFor() {
    open();

    assertThat(receive(renewal(Renewal.newBuilder().setKeyId(4).build()))).isEmpty();
  }

  @Test
  void keepsItsIdentityWhenTheServerRefuses() {
    logic.onConnected("", now);
    receive(renewingWelcome(0));

    assertThat(receive(renewal(Renewal.newBuilder().setRefusal("device-revoked").build())))
        .containsExactly(new SessionEffect.RenewalRefused("device-revoked"));
  }

  private static Frame plainWelcome(long serverTimeMillis) {
    return Frame.newBuilder()
        .setWelcome(Welcome.newBuilder().setServerTimeMillis(serverTimeMillis))
        .build();
  }

  private static Frame renewingWelcome(long serverTimeMillis) {
    return Frame.newBuilder()
        .setWelcome(
            Welcome.newBuilder().setServerTimeMillis(serverTimeMillis).setRenewalWanted(true))
        .build();
  }

  private static Frame renewal(Renewal renewal) {
    return Frame.newBuilder().setRenewal(renewal).build();
  }

  @Test
  void saysWhichDirectoryItHas() {
    heldVersion = 4_000_000_000L;

    Hello hello = sent(logic.onConnected("", now)).get(0).getHello();
    assertThat(Integer.toUnsignedLong(hello.getDirectoryVersion())).isEqualTo(4_000_000_000L);
  }

  @Test
  void takesTheDirectoryThatFollowsWelcome() {
    logic.onConnected("", now);
    receive(welcomeWithDirectory(2));

    assertThat(receive(part(2, 10, 0, "abcdef"))).isEmpty();
    List<SessionEffect> effects = receive(part(2, 10, 6, "ghij"));
    assertThat(effects).hasSize(1);
    SessionEffect.Directory directory = (SessionEffect.Directory) effects.get(0);
    assertThat(directory.version()).isEqualTo(2);
    assertThat(new String(directory.signed(), StandardCharsets.UTF_8)).isEqualTo("abcdefghij");
  }

  @Test
  void knowsWhenThePullIsDone() {
    logic.onPull(9, now);
    logic.onConnected("", now);
    assertThat(receive(welcomeWithDirectory(0)))
        .as("the server has nothing newer")
        .contains(new SessionEffect.Pulled());
    assertThat(sent(logic.onPull(0, now)).get(0).hasDirectoryRequest()).isTrue();
    assertThat(logic.isWakeUnserved()).isTrue();
    assertThat(receive(part(0, 0, 0, ""))).containsExactly(new SessionEffect.Pulled());
    logic.onPull(0, now);
    assertThat(receive(part(2, 3, 0, "abc"))).contains(new SessionEffect.Pulled());
  }

  @Test
  void namesTheWakeForTheDirectoryIfNoOtherWantsTheSession() {
    logic = session(Delivery.DELIVERY_PUSH, 0);
    logic.onPull(9, now);
    assertThat(sent(logic.onConnected("", now)).get(0).getHello().getWakeId()).isEqualTo(9);

    logic = session(Delivery.DELIVERY_PUSH, 8);
    logic.onPull(9, now);
    assertThat(sent(logic.onConnected("", now)).get(0).getHello().getWakeId()).isEqualTo(8);
  }

  @Test
  void givesUpAServerThatKeepsTheDirectoryBack() {
    logic.onPull(0, now);
    logic.onConnected("", now);
    receive(welcomeWithDirectory(2));
    assertThat(tick(9)).isEmpty();
    receive(part(2, 10, 0, "abc"));
    assertThat(tick(9)).as("it goes on").isEmpty();

    assertThat(text(tick(1))).containsExactly("BYE TOO_SLOW", "close");
    assertThat(logic.isWakeUnserved()).as("to be tried again").isTrue();
  }

  @Test
  void hangsUpOnAPartOutOfPlace() {
    open();

    assertThat(text(receive(part(2, 10, 6, "ghij"))))
        .containsExactly("BYE PROTOCOL_ERROR", "close");
  }

  @Test
  void tellsOfServersThatWait() {
    logic.onConnected("", now);
    Frame welcome =
        Frame.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .addWaitingServers(waiting(0, 1))
                    .addWaitingServers(waiting(7, 2))
                    .addWaitingServers(waiting(65_535, 3))
                    .addWaitingServers(waiting(65_536, 4)))
            .build();

    assertThat(receive(welcome))
        .filteredOn(SessionEffect.Waiting.class::isInstance)
        .containsExactly(
            new SessionEffect.Waiting(7, 2, WALL), new SessionEffect.Waiting(65_535, 3, WALL));
  }

  @Test
  void believesOnlyTheRendezvousServerAboutServersThatWait() {
    logic = session(Delivery.DELIVERY_PUSH, 9, 7);
    assertThat(sent(logic.onConnected("", now)).get(0).getHello().getServerNumber()).isEqualTo(7);

    assertThat(
            receive(
                Frame.newBuilder()
                    .setWelcome(Welcome.newBuilder().addWaitingServers(waiting(8, 2)))
                    .build()))
        .noneMatch(SessionEffect.Waiting.class::isInstance);
  }

  @Test
  void tellsHowTheServerWasFoundWithTheFirstUpdateOfEachCommand() {
    logic.onConnected("host a: cannot be resolved", now);
    receive(welcome(false));

    assertThat(sent(receive(command(ID))).stream().map(frame -> frame.getUpdate().getNote()))
        .containsExactly("host a: cannot be resolved", "");
    assertThat(sent(receive(command(OTHER))).stream().map(frame -> frame.getUpdate().getNote()))
        .containsExactly("host a: cannot be resolved");
  }

  private SessionLogic session(Delivery delivery, long wakeId) {
    return session(delivery, wakeId, 0);
  }

  private SessionLogic session(Delivery delivery, long wakeId, int server) {
    Actions actions =
        Actions.newBuilder()
            .addActions(dev.beckon.protocol.session.Action.newBuilder().setName("echo"))
            .build();
    return new SessionLogic(
        new SessionLogic.Settings(
            "kitchen", 1, delivery, actions, ByteString.copyFromUtf8("hash"), 1_000, () -> held),
        server,
        commands,
        (id, offset, content) -> {
          if (diskFull) {
            throw new IOException("No space left on device");
          }
          bodies.add(offset + " " + content.toStringUtf8());
        },
        () -> heldVersion,
        wakeId);
  }

  private List<SessionEffect> open() {
    logic.onConnected("", now);
    return receive(welcome(false));
  }

  private List<SessionEffect> receive(Frame frame) {
    return logic.onFrame(frame, now, WALL);
  }

  private List<SessionEffect> tick(long seconds) {
    now += seconds * SECOND;
    return logic.onTime(now);
  }

  private static WaitingServer waiting(int number, long wakeId) {
    return WaitingServer.newBuilder()
        .setNumber(number)
        .setWakeId(wakeId)
        .setDeadlineMillis(WALL)
        .build();
  }

  private static Frame welcomeWithDirectory(int version) {
    return Frame.newBuilder()
        .setWelcome(Welcome.newBuilder().setLingerMillis(5_000).setDirectoryVersion(version))
        .build();
  }

  private static Frame part(int version, int total, int offset, String content) {
    return Frame.newBuilder()
        .setDirectoryPart(
            DirectoryPart.newBuilder()
                .setVersion(version)
                .setTotalBytes(total)
                .setOffset(offset)
                .setContent(ByteString.copyFromUtf8(content)))
        .build();
  }

  private static Frame welcome(boolean actionsWanted) {
    return Frame.newBuilder()
        .setWelcome(
            Welcome.newBuilder()
                .setServerTimeMillis(WALL)
                .setLingerMillis(5_000)
                .setActionsWanted(actionsWanted))
        .build();
  }

  private static Frame command(String id) {
    return Frame.newBuilder()
        .setCommand(
            Command.newBuilder()
                .setDeviceId("kitchen")
                .setCommandId(id)
                .setAction("echo")
                .setDeadlineMillis(WALL + 60_000))
        .build();
  }

  private static Frame withBody(Frame frame, long bytes) {
    return Frame.newBuilder()
        .setCommand(frame.getCommand().toBuilder().setHasBody(true).setBodyBytes(bytes))
        .build();
  }

  private static Frame chunk(String id, long offset, String content, boolean last) {
    return Frame.newBuilder()
        .setBodyChunk(
            BodyChunk.newBuilder()
                .setCommandId(id)
                .setOffset(offset)
                .setContent(ByteString.copyFromUtf8(content))
                .setLast(last))
        .build();
  }

  private static Frame receipt(String id) {
    return Frame.newBuilder().setReceipt(Receipt.newBuilder().setCommandId(id)).build();
  }

  private static Frame inquiryAnswer() {
    return Frame.newBuilder().setInquiryAnswer(InquiryAnswer.getDefaultInstance()).build();
  }

  private static Frame bye(ByeReason reason) {
    return Frame.newBuilder().setBye(Bye.newBuilder().setReason(reason)).build();
  }

  private static List<Frame> sent(List<SessionEffect> effects) {
    return effects.stream()
        .filter(effect -> effect instanceof SessionEffect.Send)
        .map(effect -> ((SessionEffect.Send) effect).frame())
        .toList();
  }

  private static List<String> text(List<SessionEffect> effects) {
    List<String> texts = new ArrayList<>();
    for (SessionEffect effect : effects) {
      if (effect instanceof SessionEffect.Send send) {
        Frame frame = send.frame();
        texts.add(
            switch (frame.getKindCase()) {
              case UPDATE -> "UPDATE " + frame.getUpdate().getState();
              case BYE -> "BYE " + frame.getBye().getReason();
              default -> frame.getKindCase().name();
            });
      } else if (effect instanceof SessionEffect.OfCommand ofCommand) {
        if (ofCommand.effect() instanceof CommandEffect.Run) {
          texts.add("run");
        } else if (ofCommand.effect() instanceof CommandEffect.Discard) {
          texts.add("discard");
        }
      } else if (effect instanceof SessionEffect.Close) {
        texts.add("close");
      } else if (effect instanceof SessionEffect.SendBody) {
        texts.add("body");
      } else if (effect instanceof SessionEffect.Welcomed) {
        texts.add("welcomed");
      } else {
        texts.add("actions-confirmed");
      }
    }
    return texts;
  }
}
