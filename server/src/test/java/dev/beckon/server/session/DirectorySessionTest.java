package dev.beckon.server.session;

import static dev.beckon.server.session.SessionFrames.ID_A;
import static dev.beckon.server.session.SessionFrames.command;
import static dev.beckon.server.session.SessionFrames.hello;
import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.DirectoryPart;
import dev.beckon.protocol.session.DirectoryRequest;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.SignedDirectory;
import dev.beckon.protocol.session.UnknownServer;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.protocol.session.Welcome;
import dev.beckon.server.directory.SignedList;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The directory in sessions: by the rules alone, and over real TLS. */
final class DirectorySessionTest {

  private static final FleetPki FLEET = new FleetPki();
  private static final FleetPki.Held KITCHEN = FLEET.device("kitchen", 2);
  private static final ServerNumbers NUMBERS = ServerNumbers.delivering(0);

  private final MemoryStore store = new MemoryStore();
  private final LinkedBlockingQueue<UnknownServer> notFound = new LinkedBlockingQueue<>();
  private final SessionLogic logic =
      new SessionLogic(
          SessionConfig.defaults(),
          "kitchen",
          1,
          (id, generation) -> false,
          NUMBERS,
          store::directory,
          0);
  private SessionServer server;
  private InetSocketAddress address;

  @BeforeEach
  void start() throws IOException {
    server =
        new SessionServer(
            SessionConfig.defaults(),
            FLEET.server(),
            () -> List.of(FLEET.root()),
            NUMBERS,
            store,
            (id, generation) -> false,
            new SessionListener() {
              @Override
              public void unknownServer(
                  DeviceId id, int number, long wakeId, int version, long nowMillis) {
                notFound.add(
                    UnknownServer.newBuilder()
                        .setNumber(number)
                        .setWakeId(wakeId)
                        .setDirectoryVersion(version)
                        .build());
              }
            },
            true,
            Optional.empty(),
            System::nanoTime,
            InstantSource.system());
    address = server.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** A list of so many entries; whether its signature is right is not for sessions to judge. */
  private static SignedList list(long version, int entries) {
    DirectoryList.Builder list = DirectoryList.newBuilder().setVersion((int) version);
    for (int number = 1; number <= entries; number++) {
      list.addEntries(
          DirectoryEntry.newBuilder()
              .setNumber(number)
              .setName("server " + number)
              .setAddress("server-" + number + ".print.example.org:" + (5_000 + number)));
    }
    ByteString bytes =
        SignedDirectory.newBuilder().setList(list.build().toByteString()).build().toByteString();
    return new SignedList(version, Instant.EPOCH, list.getEntriesList(), bytes);
  }

  private static Frame helloHolding(long version) {
    Frame frame = hello("kitchen", Delivery.DELIVERY_PUSH, 0);
    return frame.toBuilder()
        .setHello(frame.getHello().toBuilder().setDirectoryVersion((int) version))
        .build();
  }

  private static Frame request(long version) {
    return Frame.newBuilder()
        .setDirectoryRequest(DirectoryRequest.newBuilder().setVersion((int) version))
        .build();
  }

  private DeviceConnection kitchen() throws IOException {
    return DeviceConnection.session(address, FLEET.root(), KITCHEN);
  }

  private static ByteString receiveList(DeviceConnection device, long version) throws IOException {
    ByteString whole = ByteString.EMPTY;
    DirectoryPart part;
    do {
      part = device.receive(KindCase.DIRECTORY_PART).getDirectoryPart();
      assertThat(part.getVersion()).isEqualTo((int) version);
      assertThat(part.getOffset()).isEqualTo(whole.size());
      assertThat(part.getContent().size()).isBetween(1, SessionConfig.MAX_CHUNK_BYTES);
      whole = whole.concat(part.getContent());
    } while (whole.size() < part.getTotalBytes());
    assertThat(whole.size()).isEqualTo(part.getTotalBytes());
    return whole;
  }

  @Test
  void sendsAThousandEntriesToADeviceThatHasAnOlderList() throws Exception {
    SignedList thousand = list(7, 1_000);
    store.directory = Optional.of(thousand);

    try (DeviceConnection device = kitchen()) {
      device.send(helloHolding(6));

      Welcome welcome = device.receive(KindCase.WELCOME).getWelcome();
      assertThat(welcome.getDirectoryVersion()).isEqualTo(7);
      assertThat(receiveList(device, 7)).isEqualTo(thousand.bytes());
      assertThat(store.directoryVersions.poll(10, TimeUnit.SECONDS)).isEqualTo(6);
      assertThat(store.directoryVersions.poll(10, TimeUnit.SECONDS)).isEqualTo(7);
      assertThat(device.receive(KindCase.BYE)).as("then it is idle").isNotNull();
    }
  }

  @Test
  void sendsNoListToADeviceThatHasIt() throws Exception {
    store.directory = Optional.of(list(7, 3));

    try (DeviceConnection device = kitchen()) {
      device.send(helloHolding(7));

      assertThat(device.receive(KindCase.WELCOME).getWelcome().getDirectoryVersion()).isEqualTo(7);
      device.send(request(7));
      DirectoryPart nothing = device.receive(KindCase.DIRECTORY_PART).getDirectoryPart();
      assertThat(nothing.getTotalBytes()).isZero();
      assertThat(nothing.getVersion()).isEqualTo(7);
    }
  }

  @Test
  void answersARequestWithAListThatBecameNewerInTheSession() throws Exception {
    SignedList newer = list(8, 3);
    try (DeviceConnection device = kitchen()) {
      device.send(helloHolding(0));
      assertThat(device.receive(KindCase.WELCOME).getWelcome().getDirectoryVersion()).isZero();
      device.send(request(0));
      assertThat(device.receive(KindCase.DIRECTORY_PART).getDirectoryPart().getTotalBytes())
          .as("there is no list at all")
          .isZero();

      store.directory = Optional.of(newer);
      device.send(request(0));

      assertThat(receiveList(device, 8)).isEqualTo(newer.bytes());
    }
  }

  @Test
  void namesTheServersThatWaitAndHearsOfUnknownOnes() throws Exception {
    WaitingServer waiting =
        WaitingServer.newBuilder().setNumber(7).setWakeId(99).setDeadlineMillis(1_000).build();
    store.waiting = List.of(waiting);
    UnknownServer unknown =
        UnknownServer.newBuilder().setNumber(7).setWakeId(99).setDirectoryVersion(3).build();

    try (DeviceConnection device = kitchen()) {
      device.send(helloHolding(3), Frame.newBuilder().setUnknownServer(unknown).build());

      assertThat(device.receive(KindCase.WELCOME).getWelcome().getWaitingServersList())
          .containsExactly(waiting);
      assertThat(notFound.poll(10, TimeUnit.SECONDS)).isEqualTo(unknown);
    }
  }

  @Test
  void doesNotTakeAListForHeldThatWasNeverSent() throws Exception {
    ByteString moreThanBuffersTake = ByteString.copyFrom(new byte[32 << 20]);
    store.directory = Optional.of(new SignedList(7, Instant.EPOCH, List.of(), moreThanBuffersTake));

    try (DeviceConnection device = kitchen()) {
      device.send(helloHolding(0));
      device.receive(KindCase.WELCOME);
    }

    until("ended", () -> server.counters().closed(CloseReason.CONNECTION_LOST) == 1);
    assertThat(store.directoryVersions).containsExactly(0L);
  }

  // ---- the rules alone

  private List<Effect> open(long heldVersion) {
    logic.onFrame(helloHolding(heldVersion), 0);
    return logic.onDeviceRead(new Greeting(false, false, 0, true, List.of()), 0);
  }

  private static List<DirectoryPart> parts(List<Effect> effects) {
    return effects.stream()
        .filter(effect -> effect instanceof Effect.SendPart)
        .map(effect -> ((Effect.SendPart) effect).frame().getDirectoryPart())
        .toList();
  }

  @Test
  void sendsOnePartAtATimeSoThatCommandsNeedNotWait() {
    SignedList thousand = list(7, 1_000);
    store.directory = Optional.of(thousand);

    List<Effect> effects = open(0);

    assertThat(effects.getFirst()).isInstanceOf(Effect.Send.class);
    assertThat(parts(effects)).hasSize(1);
    assertThat(logic.onHandedOver(List.of(command(ID_A)), List.of(), 1))
        .containsExactly(new Effect.Send(Frames.command(command(ID_A))));
    ByteString whole = parts(effects).getFirst().getContent();
    while (whole.size() < thousand.bytes().size()) {
      effects = logic.onPartWritten(2);
      whole = whole.concat(parts(effects).getFirst().getContent());
    }
    assertThat(whole).isEqualTo(thousand.bytes());
    assertThat(logic.onPartWritten(3)).containsExactly(new Effect.HoldsDirectory(7));
  }

  @Test
  void repeatsNoListThatIsOnItsWay() {
    store.directory = Optional.of(list(7, 1_000));
    open(0);

    assertThat(parts(logic.onFrame(request(0), 1))).isEmpty();
    assertThat(parts(logic.onPartWritten(2)).getFirst().getOffset()).isPositive();
  }

  @Test
  void goesOverToAListThatBecomesNewerOnTheWay() {
    store.directory = Optional.of(list(7, 1_000));
    open(0);
    SignedList newer = list(8, 1);
    store.directory = Optional.of(newer);
    logic.onFrame(request(0), 1);

    List<DirectoryPart> parts = new ArrayList<>(parts(logic.onPartWritten(2)));

    assertThat(parts.getFirst().getVersion()).isEqualTo(8);
    assertThat(parts.getFirst().getContent()).isEqualTo(newer.bytes());
    assertThat(logic.onPartWritten(3)).containsExactly(new Effect.HoldsDirectory(8));
  }

  @Test
  void cutsADeviceOffThatDoesNotReadTheList() {
    store.directory = Optional.of(list(7, 1_000));
    open(0);
    long stalled = SessionConfig.defaults().stall().toNanos();

    assertThat(logic.onTime(stalled - 1)).isEmpty();
    assertThat(logic.onTime(stalled)).endsWith(new Effect.Close(CloseReason.TOO_SLOW));
    assertThat(logic.onPartWritten(stalled)).isEmpty();
  }
}
