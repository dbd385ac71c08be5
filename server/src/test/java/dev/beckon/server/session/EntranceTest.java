package dev.beckon.server.session;

import static dev.beckon.server.session.SessionFrames.ID_A;
import static dev.beckon.server.session.SessionFrames.command;
import static dev.beckon.server.session.SessionFrames.hello;
import static dev.beckon.server.session.SessionFrames.inquiry;
import static dev.beckon.server.session.SessionFrames.update;
import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.State;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a connection begins in each security mode, on the wire. */
@ParameterizedClass(name = "native parts: {0}")
@ValueSource(booleans = {true, false})
class EntranceTest {
  private static final FleetPki FLEET = new FleetPki();
  private static final FleetPki.Held KITCHEN = FLEET.device("kitchen", 2);

  @Parameter boolean nativeParts;

  private final MemoryStore store = new MemoryStore();
  private volatile int minimumGeneration;
  private @Nullable SessionServer server;
  private InetSocketAddress address = new InetSocketAddress(0);

  private void start(Security security) throws IOException {
    start(SessionConfig.defaults().withSecurity(security));
  }

  private void start(SessionConfig config) throws IOException {
    server =
        new SessionServer(
            nativeParts ? config : config.withoutNativeParts(),
            FLEET.server(),
            () -> List.of(FLEET.root()),
            ServerNumbers.delivering(0),
            store,
            (id, generation) -> generation < minimumGeneration,
            new SessionListener() {},
            true,
            Optional.empty(),
            System::nanoTime,
            InstantSource.system());
    address = server.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
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

  /** As a device of the mode connects: with a certificate only in mutual. */
  private DeviceConnection connect(Security security) throws IOException {
    return switch (security) {
      case MUTUAL -> DeviceConnection.session(address, FLEET.root(), KITCHEN);
      case SERVER -> DeviceConnection.session(address, FLEET.root(), null);
      case NONE -> DeviceConnection.plain(address);
    };
  }

  private long refused(Refusal reason) {
    return server().counters().refused(reason);
  }

  @ParameterizedTest
  @EnumSource(Security.class)
  void aCommandIsPushedAndItsEndReceipted(Security security) throws Exception {
    start(security);
    store.commands.add(command(ID_A));

    try (DeviceConnection device = connect(security)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 7));
      device.receive(KindCase.WELCOME);
      device.receive(KindCase.COMMAND);
      device.send(update(ID_A, State.SUCCEEDED));
      device.receive(KindCase.RECEIPT);
    }

    assertThat(store.nextStored().from().value()).isEqualTo("kitchen");
  }

  @ParameterizedTest
  @EnumSource(Security.class)
  void anInquiryThatRidesBehindHelloIsAnswered(Security security) throws Exception {
    start(security);
    store.commands.add(command(ID_A));

    try (DeviceConnection device = connect(security)) {
      device.send(hello("kitchen", Delivery.DELIVERY_INQUIRY, 7), inquiry(7));
      device.receive(KindCase.WELCOME);
      device.receive(KindCase.INQUIRY_ANSWER);
      device.receive(KindCase.COMMAND);
    }
  }

  @ParameterizedTest
  @EnumSource(Security.class)
  void enrollmentComesOverTlsOnTheSamePort(Security security) throws Exception {
    start(security);

    try (DeviceConnection device =
        DeviceConnection.open(
            address, DeviceConnection.context(FLEET.root(), null), "beckon-enroll/1", "TLSv1.3")) {
      device.send(
          Frame.newBuilder()
              .setEnrollmentRequest(
                  EnrollmentRequest.newBuilder().setSecret(ByteString.copyFrom(new byte[16])))
              .build());
      device.receive(KindCase.ENROLLMENT_ANSWER);
    }
  }

  @ParameterizedTest
  @EnumSource(Security.class)
  void aRevokedDeviceIsRefused(Security security) throws Exception {
    start(security);
    minimumGeneration = 3;

    try (DeviceConnection device = connect(security)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
      assertThat(device.receive()).isNull();
    }
    assertThat(server().counters().opened()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = Security.class,
      names = {"SERVER", "NONE"})
  void anIdThatNeverEnrolledIsNotBelieved(Security security) throws Exception {
    start(security);

    for (String id : new String[] {"stranger", "no device ID", ""}) {
      try (DeviceConnection device = connect(security)) {
        device.send(hello(id, Delivery.DELIVERY_PUSH, 0), inquiry(0));
        assertThat(device.receive(KindCase.BYE).getBye().getReason())
            .isEqualTo(ByeReason.DEVICE_MISMATCH);
        assertThat(device.receive()).isNull();
      }
    }
    assertThat(refused(Refusal.UNKNOWN_DEVICE)).isEqualTo(3);
    assertThat(server().counters().opened()).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = Security.class,
      names = {"SERVER", "NONE"})
  void whoeverSaysNoHelloIsClosedAndCounted(Security security) throws Exception {
    SessionConfig d = SessionConfig.defaults();
    start(
        new SessionConfig(
            d.handshake(),
            Duration.ofMillis(1500),
            d.linger(),
            d.stall(),
            1,
            1,
            1,
            100,
            nativeParts,
            security));

    try (DeviceConnection silent = connect(security)) {
      silent.sendBytes(new byte[] {1}); // a frame's length without a frame
      assertThat(silent.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.TOO_SLOW);
    }
    try (DeviceConnection hasty = connect(security)) {
      hasty.send(inquiry(0));
      assertThat(hasty.receive(KindCase.BYE).getBye().getReason())
          .isEqualTo(ByeReason.PROTOCOL_ERROR);
    }
    try (DeviceConnection garbled = connect(security)) {
      garbled.sendBytes(new byte[] {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x7F});
      assertThat(garbled.receive(KindCase.BYE).getBye().getReason())
          .isEqualTo(ByeReason.PROTOCOL_ERROR);
    }
    connect(security).close();
    if (security == Security.SERVER) { // without a byte there is no telling what it was
      until("counted", () -> refused(Refusal.NO_HELLO) == 4);
    }
  }

  @Test
  void inServerNoCertificateIsAskedFor() throws Exception {
    start(Security.SERVER);

    try (DeviceConnection device = DeviceConnection.session(address, FLEET.root(), KITCHEN)) {
      assertThat(device.tls().getApplicationProtocol()).isEqualTo("beckon/1");
      assertThat(device.tls().getSession().getLocalCertificates()).isNull();
    }
    until("counted", () -> refused(Refusal.NO_HELLO) == 1);
  }

  @Test
  void inMutualNothingIsSaidBeforeACertificateIsShown() throws Exception {
    start(Security.MUTUAL);
    store.commands.add(command(ID_A));

    try (DeviceConnection device = DeviceConnection.session(address, FLEET.root(), null)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive()).isNull();
    } catch (IOException reset) {
      assertThat(reset).isNotInstanceOf(java.net.SocketTimeoutException.class);
    }
    until("counted", () -> refused(Refusal.NO_CERTIFICATE) == 1);
    assertThat(server().counters().opened()).isZero();
  }

  @Test
  void inNoneFramesAreNotEncrypted() throws Exception {
    start(Security.NONE);
    ByteArrayOutputStream wire = new ByteArrayOutputStream();

    try (DeviceConnection device = DeviceConnection.plain(address)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      int length = device.socket().getInputStream().read();
      wire.write(device.socket().getInputStream().readNBytes(length));
    }

    assertThat(Frame.parseFrom(wire.toByteArray()).hasWelcome()).isTrue();
  }

  /** Its length is 0x16, as the first byte of TLS. */
  @Test
  void inNoneAHelloOf22BytesIsNoTls() throws Exception {
    start(Security.NONE);
    Frame hello =
        Frame.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setDeviceId("kitchen")
                    .setBootId(7)
                    .setDelivery(Delivery.DELIVERY_PUSH))
            .build();
    assertThat(hello.getSerializedSize()).isEqualTo(22);

    try (DeviceConnection device = DeviceConnection.plain(address)) {
      device.send(hello);
      device.receive(KindCase.WELCOME);
    }
  }

  @Test
  void inNoneASessionOverTlsIsRefusedInTheHandshake() throws Exception {
    start(Security.NONE);

    assertThatThrownBy(() -> DeviceConnection.session(address, FLEET.root(), KITCHEN))
        .isInstanceOf(SSLException.class)
        .hasMessageContaining("no_application_protocol");
    assertThat(refused(Refusal.OTHER_SECURITY)).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(
      value = Security.class,
      names = {"MUTUAL", "SERVER"})
  void plainFramesAreClosedUnread(Security security) throws Exception {
    start(security);
    store.commands.add(command(ID_A));

    try (DeviceConnection device = DeviceConnection.plain(address)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      byte[] answered = device.socket().getInputStream().readAllBytes();
      assertThat(answered.length == 0 || answered[0] == 0x15).as("nothing but an alert").isTrue();
    } catch (IOException reset) {
      assertThat(reset).isNotInstanceOf(java.net.SocketTimeoutException.class);
    }
    until("counted", () -> refused(Refusal.NOT_TLS) == 1);
    assertThat(server().counters().opened()).isZero();
  }
}
