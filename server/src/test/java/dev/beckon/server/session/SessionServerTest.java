package dev.beckon.server.session;

import static dev.beckon.server.session.SessionFrames.ID_A;
import static dev.beckon.server.session.SessionFrames.ID_B;
import static dev.beckon.server.session.SessionFrames.command;
import static dev.beckon.server.session.SessionFrames.commandWithBody;
import static dev.beckon.server.session.SessionFrames.hello;
import static dev.beckon.server.session.SessionFrames.inquiry;
import static dev.beckon.server.session.SessionFrames.update;
import static dev.beckon.server.session.SessionFrames.updateWithBody;
import static dev.beckon.server.session.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.State;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** The session port with real sockets and TLS, once with native parts and once without. */
@ParameterizedClass(name = "native parts: {0}")
@ValueSource(booleans = {true, false})
class SessionServerTest {

  private static final FleetPki FLEET = new FleetPki();
  private static final FleetPki.Held KITCHEN = FLEET.device("kitchen", 2);
  private static final DeviceId KITCHEN_ID = new DeviceId("kitchen");

  @Parameter boolean nativeParts;

  private final MemoryStore store = new MemoryStore();
  private final Events events = new Events();
  private volatile int minimumGeneration;
  private @Nullable SessionServer server;
  private InetSocketAddress address = new InetSocketAddress(0);

  /** What the server tells, in order. */
  private static final class Events implements SessionListener {
    final LinkedBlockingQueue<String> all = new LinkedBlockingQueue<>();

    @Override
    public void opened(
        DeviceId id, int server, long wakeId, InetSocketAddress from, long nowMillis) {
      all.add("opened " + id + " after wake " + wakeId);
    }

    @Override
    public void inquired(DeviceId id, int server, long wakeId, long nowMillis) {
      all.add("inquired " + id + " after wake " + wakeId);
    }

    @Override
    public void closed(DeviceId id, int server, CloseReason reason, long nowMillis) {
      all.add("closed " + id + " " + reason);
    }

    String next() throws InterruptedException {
      return String.valueOf(all.poll(10, TimeUnit.SECONDS));
    }
  }

  @BeforeEach
  void start() throws IOException {
    start(SessionConfig.defaults());
  }

  private void start(SessionConfig config) throws IOException {
    stop();
    SessionServer started =
        new SessionServer(
            nativeParts ? config : config.withoutNativeParts(),
            FLEET.server(),
            () -> List.of(FLEET.root()),
            ServerNumbers.delivering(0),
            store,
            (id, generation) -> generation < minimumGeneration,
            events,
            true,
            Optional.empty(),
            System::nanoTime,
            InstantSource.system());
    server = started;
    address = started.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  @AfterEach
  void stop() {
    if (server != null) {
      server.close();
    }
  }

  private SessionServer server() {
    return Objects.requireNonNull(server);
  }

  private DeviceConnection kitchen() throws IOException {
    return DeviceConnection.session(address, FLEET.root(), KITCHEN);
  }

  // ---- handing over

  @Test
  void pushesACommandBehindHelloAndReceiptsItsEnd() throws Exception {
    store.commands.add(command(ID_A));

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 7));

      assertThat(device.receive(KindCase.WELCOME).getWelcome().getActionsWanted()).isTrue();
      assertThat(device.receive(KindCase.COMMAND).getCommand()).isEqualTo(command(ID_A));
      device.send(update(ID_A, State.SUCCEEDED));
      assertThat(device.receive(KindCase.RECEIPT).getReceipt().getCommandId()).isEqualTo(ID_A);
    }

    assertThat(store.nextStored().from()).isEqualTo(KITCHEN_ID);
    assertThat(events.next()).isEqualTo("opened kitchen after wake 7");
    assertThat(events.next()).startsWith("closed kitchen");
    assertThat(store.open).hasValue(0);
  }

  @Test
  void answersAnInquiryThatRidesBehindHello() throws Exception {
    store.commands.add(command(ID_A));

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_INQUIRY, 7), inquiry(7));

      device.receive(KindCase.WELCOME);
      assertThat(device.receive(KindCase.INQUIRY_ANSWER).getInquiryAnswer().getCommands())
          .isEqualTo(1);
      device.receive(KindCase.COMMAND);
      assertThat(server().deliver(KITCHEN_ID)).isFalse();
      assertThat(server().hasSession(KITCHEN_ID)).isTrue();
    }
    assertThat(events.next()).isEqualTo("opened kitchen after wake 7");
    assertThat(events.next()).isEqualTo("inquired kitchen after wake 7");
  }

  @Test
  void deliversANewCommandIntoAnOpenPushSession() throws Exception {
    assertThat(server().deliver(KITCHEN_ID)).isFalse();

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      store.commands.add(command(ID_A));

      assertThat(server().deliver(KITCHEN_ID)).isTrue();
      device.receive(KindCase.COMMAND);
    }
  }

  @Test
  void keepsTheDevicesActions() throws Exception {
    try (DeviceConnection device = kitchen()) {
      device.send(
          hello("kitchen", Delivery.DELIVERY_PUSH, 0), SessionFrames.ofKind(KindCase.ACTIONS));

      assertThat(store.actions.poll(10, TimeUnit.SECONDS)).isNotNull();
    }
  }

  @Test
  void carriesBodiesBothWays() throws Exception {
    byte[] body = new byte[3_000_000];
    new Random(1).nextBytes(body);
    store.commands.add(commandWithBody(ID_A, body.length));
    store.commands.add(command(ID_B));
    store.bodies.put(ID_A, body);

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      device.receive(KindCase.COMMAND);
      device.receive(KindCase.COMMAND);
      ByteArrayOutputStream received = new ByteArrayOutputStream();
      BodyChunk chunk;
      do {
        chunk = device.receive(KindCase.BODY_CHUNK).getBodyChunk();
        assertThat(chunk.getOffset()).isEqualTo(received.size());
        chunk.getContent().writeTo(received);
      } while (!chunk.getLast());
      assertThat(received.toByteArray()).isEqualTo(body);

      device.send(updateWithBody(ID_A, State.SUCCEEDED, body.length));
      for (int from = 0; from < body.length; from += SessionConfig.MAX_CHUNK_BYTES) {
        int size = Math.min(SessionConfig.MAX_CHUNK_BYTES, body.length - from);
        device.send(
            Frames.bodyChunk(
                ID_A, from, ByteString.copyFrom(body, from, size), from + size == body.length));
      }
      device.receive(KindCase.RECEIPT);
    }
    assertThat(store.nextStored().body()).isEqualTo(body);
  }

  // ---- one session per device, and who may have one

  @Test
  void aNewSessionReplacesTheOldOne() throws Exception {
    try (DeviceConnection first = kitchen();
        DeviceConnection second = kitchen()) {
      first.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      first.receive(KindCase.WELCOME);
      second.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      second.receive(KindCase.WELCOME);

      assertThat(first.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REPLACED);
      assertThat(first.receive()).isNull();
      assertThat(server().hasSession(KITCHEN_ID)).isTrue();
      assertThat(server().openSessions()).isEqualTo(1);
    }
    assertThat(events.next()).startsWith("opened kitchen");
    assertThat(events.next()).startsWith("opened kitchen");
    assertThat(events.next()).startsWith("closed kitchen");
    until("both sessions ended in the store", () -> store.open.get() == 0);
  }

  @Test
  void refusesAHelloForAnotherDeviceThanTheCertificates() throws Exception {
    try (DeviceConnection device = kitchen()) {
      device.send(hello("cellar", Delivery.DELIVERY_PUSH, 0));

      assertThat(device.receive(KindCase.BYE).getBye().getReason())
          .isEqualTo(ByeReason.DEVICE_MISMATCH);
      assertThat(device.receive()).isNull();
    }
    assertThat(server().counters().closed(CloseReason.DEVICE_MISMATCH)).isEqualTo(1);
    assertThat(server().counters().opened()).isZero();
  }

  @Test
  void asksTheDenyListAtEveryHelloAlsoInAResumedTlsSession() throws Exception {
    SSLContext context = DeviceConnection.context(FLEET.root(), KITCHEN);
    long begin;
    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      begin = device.tls().getSession().getCreationTime();
    }
    minimumGeneration = 3;

    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      assertThat(device.tls().getSession().getCreationTime())
          .as("begin of the TLS session that was resumed")
          .isEqualTo(begin);
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));

      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
    }
  }

  @Test
  void closesConnectionsWithoutACertificate() throws Exception {
    assertThatNoFrameComes(null, "beckon/1", "TLSv1.3");

    until("counted", () -> server().counters().refused(Refusal.NO_CERTIFICATE) == 1);
  }

  @Test
  void refusesAnotherFleetsCertificate() throws Exception {
    assertThatNoFrameComes(new FleetPki().device("kitchen", 2), "beckon/1", "TLSv1.3");

    until("counted", () -> refusals() == 1);
  }

  @Test
  void refusesAServersCertificate() throws Exception {
    FleetPki.Held held =
        FLEET.issue(
            new FleetPki.Wish().usage(KeyPurposeId.id_kp_serverAuth).uris("urn:beckon:server:0/1"));

    assertThatNoFrameComes(held, "beckon/1", "TLSv1.3");

    until("counted", () -> refusals() == 1);
  }

  @Test
  void refusesOtherProtocols() throws Exception {
    assertThatNoFrameComes(KITCHEN, "h2", "TLSv1.3");
    assertThatNoFrameComes(KITCHEN, "", "TLSv1.3");

    until("counted", () -> server().counters().refused(Refusal.NO_COMMON_PROTOCOL) == 2);
  }

  @Test
  void refusesOlderTls() throws Exception {
    assertThatNoFrameComes(KITCHEN, "beckon/1", "TLSv1.2");

    until("counted", () -> server().counters().refused(Refusal.HANDSHAKE_FAILED) == 1);
  }

  @Test
  void closesPlainText() throws Exception {
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8));

      assertThatEnds(socket);
    }
    until("counted", () -> server().counters().refused(Refusal.NOT_TLS) == 1);
  }

  private long refusals() {
    return server().counters().refused(Refusal.UNFIT_CERTIFICATE)
        + server().counters().refused(Refusal.HANDSHAKE_FAILED);
  }

  private void assertThatNoFrameComes(FleetPki.@Nullable Held held, String alpn, String version) {
    // With TLS 1.3 a client learns only when it reads that its certificate was refused.
    try (DeviceConnection device =
        DeviceConnection.open(
            address, DeviceConnection.context(FLEET.root(), held), alpn, version)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive()).isNull();
    } catch (IOException refused) {
      assertThat(refused).isNotInstanceOf(java.net.SocketTimeoutException.class);
    }
    assertThat(server().counters().opened()).isZero();
  }

  private static void assertThatEnds(Socket socket) {
    try {
      while (socket.getInputStream().read() >= 0) {
        // An alert may come first.
      }
    } catch (IOException reset) {
      assertThat(reset).isNotInstanceOf(java.net.SocketTimeoutException.class);
    }
  }

  // ---- limits

  @Test
  void closesAConnectionThatNeverBeginsTls() throws Exception {
    start(withDeadlines(Duration.ofMillis(200)));

    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      socket.setSoTimeout(10_000);
      assertThatEnds(socket);
    }
    until("counted", () -> server().counters().refused(Refusal.HANDSHAKE_TOO_SLOW) == 1);
  }

  @Test
  void closesASessionThatSaysNoHello() throws Exception {
    start(withDeadlines(Duration.ofMillis(1500)));

    try (DeviceConnection device = kitchen()) {
      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.TOO_SLOW);
      assertThat(device.receive()).isNull();
    }
  }

  @Test
  void closesAnIdleSession() throws Exception {
    start(SessionConfig.defaults().withLinger(Duration.ofMillis(100)));

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);

      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.IDLE);
      assertThat(device.receive()).isNull();
    }
    assertThat(events.next()).startsWith("opened");
    assertThat(events.next()).isEqualTo("closed kitchen IDLE");
  }

  @Test
  void refusesAFrameAboveTheLimitBeforeItsContent() throws Exception {
    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);

      device.sendBytes(new byte[] {(byte) 0x81, (byte) 0x80, 0x04}); // 65,537 as a varint

      assertThat(device.receive(KindCase.BYE).getBye().getReason())
          .isEqualTo(ByeReason.PROTOCOL_ERROR);
    }
  }

  @Test
  void refusesAFrameThatCannotBeRead() throws Exception {
    try (DeviceConnection device = kitchen()) {
      device.sendBytes(new byte[] {3, (byte) 0xff, (byte) 0xff, (byte) 0xff});

      assertThat(device.receive(KindCase.BYE).getBye().getReason())
          .isEqualTo(ByeReason.PROTOCOL_ERROR);
    }
  }

  @Test
  void takesFramesThatArriveByteByByte() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    hello("kitchen", Delivery.DELIVERY_PUSH, 0).writeDelimitedTo(bytes);

    try (DeviceConnection device = kitchen()) {
      for (byte b : bytes.toByteArray()) {
        device.sendBytes(new byte[] {b});
      }

      device.receive(KindCase.WELCOME);
    }
  }

  @Test
  void closesConnectionsAboveTheLimit() throws Exception {
    SessionConfig d = SessionConfig.defaults();
    start(
        new SessionConfig(
            d.handshake(),
            d.hello(),
            d.linger(),
            d.stall(),
            16,
            1,
            1,
            1,
            nativeParts,
            Security.MUTUAL));

    try (DeviceConnection device = kitchen();
        Socket second = new Socket(address.getAddress(), address.getPort())) {
      second.setSoTimeout(10_000);
      assertThatEnds(second);
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
    }
    assertThat(server().counters().refused(Refusal.TOO_MANY_CONNECTIONS)).isEqualTo(1);
  }

  @Test
  void boundsTheHeapForBodiesThatWaitForTheStoreToo() throws Exception {
    SessionConfig d = SessionConfig.defaults();
    start(
        new SessionConfig(
            d.handshake(),
            d.hello(),
            d.linger(),
            d.stall(),
            16,
            10,
            10,
            10,
            nativeParts,
            Security.MUTUAL));
    store.slow = true;

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      device.send(
          updateWithBody(ID_A, State.SUCCEEDED, 6),
          SessionFrames.chunk(ID_A, 0, "123456", true),
          updateWithBody(ID_B, State.SUCCEEDED, 6),
          SessionFrames.chunk(ID_B, 0, "123456", true));

      assertThat(device.receive(KindCase.BYE).getBye().getText()).contains("try again later");
    }
  }

  private static boolean cannotSend(DeviceConnection device, Frame frame) {
    try {
      device.send(frame);
      return false;
    } catch (IOException cut) {
      return true;
    }
  }

  @Test
  void endsTheSessionOfADeviceThatSendsButDoesNotRead() throws Exception {
    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      Frame update = update("A".repeat(60_000), State.SUCCEEDED); // its receipt is as long

      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1_000; i++) {
                  device.send(update);
                }
                until("ended", () -> server().counters().closed(CloseReason.TOO_SLOW) == 1);
                until("the device notices", () -> cannotSend(device, update));
                device.send(update);
              })
          .as("the connection is cut")
          .isInstanceOf(IOException.class);
    }
    assertThat(server().counters().closed(CloseReason.TOO_SLOW)).isEqualTo(1);
  }

  @Test
  void boundsTheHeapForArrivingBodies() throws Exception {
    SessionConfig d = SessionConfig.defaults();
    start(
        new SessionConfig(
            d.handshake(),
            d.hello(),
            d.linger(),
            d.stall(),
            16,
            10,
            10,
            10,
            nativeParts,
            Security.MUTUAL));

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      device.send(
          updateWithBody(ID_A, State.SUCCEEDED, 10),
          updateWithBody(ID_B, State.SUCCEEDED, 10),
          SessionFrames.chunk(ID_A, 0, "123456", false),
          SessionFrames.chunk(ID_B, 0, "123456", false));

      assertThat(device.receive(KindCase.BYE).getBye().getText()).contains("try again later");
    }
    until("counted", () -> server().counters().closed(CloseReason.SERVER_FAILED) == 1);
  }

  @Test
  void endsTheSessionWhenTheStoreFails() throws Exception {
    store.failing = true;

    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      Frame frame = device.receive();
      if (frame != null && frame.getKindCase() == KindCase.WELCOME) {
        frame = device.receive();
      }

      assertThat(Objects.requireNonNull(frame).getKindCase()).isEqualTo(KindCase.BYE);
    }
  }

  // ---- enrollment

  @Test
  void enrollsWithoutACertificate() throws Exception {
    assertThat(enroll(16).receive(KindCase.ENROLLMENT_ANSWER).getEnrollmentAnswer().getDeviceId())
        .isEqualTo("kitchen");
    until("counted", () -> server().counters().enrolled() == 1);
  }

  @Test
  void passesARefusalOn() throws Exception {
    DeviceConnection device = enroll(3);

    assertThat(device.receive(KindCase.ENROLLMENT_REFUSAL).getEnrollmentRefusal().getCode())
        .isEqualTo("enrollment-code-unknown");
    assertThat(device.receive()).isNull();
    until("counted", () -> server().counters().refused(Refusal.ENROLLMENT_REFUSED) == 1);
  }

  @Test
  void takesNothingElseOnAnEnrollmentConnection() throws Exception {
    assertThatNoFrameComes(null, "beckon-enroll/1", "TLSv1.3");

    until("counted", () -> server().counters().refused(Refusal.MALFORMED_ENROLLMENT) == 1);
  }

  private DeviceConnection enroll(int secretBytes) throws IOException {
    return DeviceConnection.open(
            address, DeviceConnection.context(FLEET.root(), null), "beckon-enroll/1", "TLSv1.3")
        .send(
            Frame.newBuilder()
                .setEnrollmentRequest(
                    EnrollmentRequest.newBuilder()
                        .setSecret(ByteString.copyFrom(new byte[secretBytes])))
                .build());
  }

  // ---- start and stop

  @Test
  void saysByeWhenItStopsAndLeavesNoThread() throws Exception {
    try (DeviceConnection device = kitchen()) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);

      server().close();

      assertThat(device.receive(KindCase.BYE).getBye().getReason())
          .isEqualTo(ByeReason.SHUTTING_DOWN);
    }
    until(
        "no thread is left",
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("session-")));
    assertThatThrownBy(() -> new Socket(address.getAddress(), address.getPort()))
        .isInstanceOf(IOException.class);
  }

  @Test
  void saysWhichPortIsTaken() {
    assertThatThrownBy(() -> server().start(address))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "tls: 127.0.0.1:"
                + address.getPort()
                + " (address already in use; expected a free port of this host: stop what uses it"
                + " or give --tls ADDR:PORT)");
  }

  private SessionConfig withDeadlines(Duration deadline) {
    SessionConfig d = SessionConfig.defaults();
    return new SessionConfig(
        deadline,
        deadline,
        d.linger(),
        d.stall(),
        d.maxCommandsInFlight(),
        d.maxBodyBytes(),
        d.maxBufferedBytes(),
        d.maxConnections(),
        nativeParts,
        Security.MUTUAL);
  }
}
