package dev.beckon.server.session;

import static dev.beckon.server.session.SessionFrames.hello;
import static dev.beckon.server.session.SessionFrames.inquiry;
import static dev.beckon.server.session.SessionFrames.update;
import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.RenewalRequest;
import dev.beckon.protocol.session.State;
import dev.beckon.server.command.Cancelling;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import dev.beckon.server.command.TimelineEntry;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.KnownDevices;
import dev.beckon.server.store.Database;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Enrollment and sessions on the fleet's real CA and commands, over real TLS. */
class FleetSessionTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");

  @TempDir private Path folder;

  private Database database;
  private Identity identity;
  private Commands commands;
  private SessionServer server;
  private InetSocketAddress address;
  private FleetPki.Held kitchen;

  @BeforeEach
  void start() throws Exception {
    InstantSource clock = InstantSource.system();
    database = Database.open(folder);
    identity = Identity.open(database, clock, () -> new Advertised("127.0.0.1", 3478, 5349));
    commands = Commands.open(database, identity.devices()::find, clock);
    server =
        new SessionServer(
            SessionConfig.defaults(),
            identity.ca().issueServer(Set.of(0)),
            identity.ca()::roots,
            ServerNumbers.delivering(0),
            new SessionParts(
                commands,
                identity.devices(),
                identity.denyList(),
                Optional.of(identity.enrollment()),
                Optional.of(identity.renewals()),
                new ServedDirectory() {},
                new SessionListener() {},
                Optional.empty(),
                System::nanoTime,
                clock));
    commands.addListener(
        new CommandListener() {
          @Override
          public void accepted(Command command) {
            server.deliver(command.deviceId());
          }
        });
    address = server.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    kitchen = enroll();
  }

  @AfterEach
  void stop() {
    server.close();
    commands.close();
    database.close();
  }

  /** Opens a session in which nobody proves anything; returns the server's last frame to that. */
  private Frame sayHello(InetSocketAddress where, String id, Frame... behind) throws Exception {
    try (DeviceConnection device = DeviceConnection.plain(where)) {
      device.send(hello(id, Delivery.DELIVERY_PUSH, 0));
      device.send(behind);
      Frame first = Objects.requireNonNull(device.receive());
      return behind.length == 0 ? first : Objects.requireNonNull(device.receive());
    }
  }

  @ParameterizedTest(name = "holds the list of devices: {0}")
  @ValueSource(booleans = {true, false})
  void withoutCertificatesTheIdIsBelievedUnlessItIsDenied(boolean holdsTheList) throws Exception {
    try (Database elsewhere = Database.open(folder.resolve("elsewhere"));
        SessionServer open =
            new SessionServer(
                SessionConfig.defaults().withSecurity(Security.NONE),
                identity.ca().issueServer(Set.of(0)),
                identity.ca()::roots,
                ServerNumbers.delivering(0),
                new SessionParts(
                    commands,
                    holdsTheList ? identity.devices() : new KnownDevices(elsewhere),
                    identity.denyList(),
                    holdsTheList ? Optional.of(identity.enrollment()) : Optional.empty(),
                    Optional.of(identity.renewals()),
                    new ServedDirectory() {},
                    new SessionListener() {},
                    Optional.empty(),
                    System::nanoTime,
                    InstantSource.system()))) {
      InetSocketAddress where =
          open.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));

      assertThat(sayHello(where, "kitchen").hasWelcome()).isTrue();
      // What would outlive the mode is not given out: no new identity.
      Frame renewal =
          Frame.newBuilder().setRenewalRequest(RenewalRequest.getDefaultInstance()).build();
      assertThat(sayHello(where, "kitchen", renewal).getRenewal().getRefusal())
          .isEqualTo("renewal-not-here");
      Frame stranger = sayHello(where, "stranger");
      assertThat(holdsTheList ? stranger.hasBye() : stranger.hasWelcome()).isTrue();

      identity.devices().revoke(KITCHEN).join();
      identity.denyList().raise(new DeviceId("stranger"), 1).join();

      assertThat(sayHello(where, "kitchen").getBye().getReason()).isEqualTo(ByeReason.REVOKED);
      assertThat(sayHello(where, "stranger").getBye().getReason())
          .isEqualTo(holdsTheList ? ByeReason.DEVICE_MISMATCH : ByeReason.REVOKED);
    }
  }

  @Test
  void takesACommandThroughItsWholeLife() throws Exception {
    String id = submit("echo", new byte[0]);

    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 5))) {
      assertThat(device.receive(KindCase.WELCOME).getWelcome().getActionsWanted()).isTrue();
      assertThat(device.receive(KindCase.COMMAND).getCommand().getCommandId()).isEqualTo(id);
      device.send(
          update(id, State.DELIVERED), update(id, State.RUNNING), update(id, State.SUCCEEDED));
      assertThat(device.receive(KindCase.RECEIPT).getReceipt().getCommandId()).isEqualTo(id);
    }

    Command command = commands.find(id).orElseThrow();
    assertThat(command.state()).isEqualTo(CommandState.SUCCEEDED);
    assertThat(command.timeline())
        .extracting(TimelineEntry::event)
        .containsExactly("queued", "session-opened", "delivered", "started", "finished");
    assertThat(command.timeline().get(1).details()).containsEntry("wakeId", "5");
    assertThat(command.timeline().get(1).details().get("from")).startsWith("127.0.0.1:");
  }

  @Test
  void handsACommandsBodyOver() throws Exception {
    byte[] body = new byte[100_000];
    new java.util.Random(2).nextBytes(body);
    submit("print", body);

    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);
      assertThat(device.receive(KindCase.COMMAND).getCommand().getBodyBytes()).isEqualTo(100_000);
      ByteString received = ByteString.EMPTY;
      for (boolean last = false; !last; ) {
        var chunk = device.receive(KindCase.BODY_CHUNK).getBodyChunk();
        received = received.concat(chunk.getContent());
        last = chunk.getLast();
      }
      assertThat(received.toByteArray()).isEqualTo(body);
    }
  }

  @Test
  void handsOverWhatIsSentDuringASession() throws Exception {
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);
      String first = submit("echo", new byte[0]);
      String second = submit("echo", new byte[0]);

      assertThat(device.receive(KindCase.COMMAND).getCommand().getCommandId()).isEqualTo(first);
      assertThat(device.receive(KindCase.COMMAND).getCommand().getCommandId()).isEqualTo(second);
    }
  }

  @Test
  void answersInquiriesOnly() throws Exception {
    String id = submit("echo", new byte[0]);

    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_INQUIRY, 0))) {
      device.receive(KindCase.WELCOME);
      device.send(inquiry(0));
      assertThat(device.receive(KindCase.INQUIRY_ANSWER).getInquiryAnswer().getCommands())
          .isEqualTo(1);
      assertThat(device.receive(KindCase.COMMAND).getCommand().getCommandId()).isEqualTo(id);
    }
  }

  @Test
  void sendsACommandAgainThatTheDeviceNeverConfirmed() throws Exception {
    String id = submit("echo", new byte[0]);

    for (int session = 0; session < 2; session++) {
      try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
        device.receive(KindCase.WELCOME);
        assertThat(device.receive(KindCase.COMMAND).getCommand().getCommandId()).isEqualTo(id);
      }
    }
  }

  @Test
  void receiptsTheEndOfACommandThatThisServerNeverHad() throws Exception {
    String id = "01JZ0000000000000000000000";

    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);
      device.send(update(id, State.SUCCEEDED));
      assertThat(device.receive(KindCase.RECEIPT).getReceipt().getCommandId()).isEqualTo(id);
    }
  }

  @Test
  void asksTheDeviceToCancelWhatItHas() throws Exception {
    String id = submit("echo", new byte[0]);

    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);
      device.receive(KindCase.COMMAND);
      assertThat(commands.cancel(id).get(10, TimeUnit.SECONDS))
          .isInstanceOf(Cancelling.Asked.class);
      assertThat(device.receive(KindCase.CANCELLATION).getCancellation().getCommandId())
          .isEqualTo(id);
      device.send(update(id, State.CANCELLED));
      device.receive(KindCase.RECEIPT);
    }
    assertThat(commands.find(id).orElseThrow().state()).isEqualTo(CommandState.CANCELLED);
  }

  @Test
  void asksForActionsOnceOnly() throws Exception {
    Actions actions = Actions.getDefaultInstance();
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(actions.toByteArray());
    Frame hello =
        Frame.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setDeviceId("kitchen")
                    .setDelivery(Delivery.DELIVERY_PUSH)
                    .setActionsHash(ByteString.copyFrom(hash)))
            .build();

    try (DeviceConnection device = connect(hello)) {
      assertThat(device.receive(KindCase.WELCOME).getWelcome().getActionsWanted()).isTrue();
      device.send(Frame.newBuilder().setActions(actions).build());
      until("kept", () -> identity.devices().find(KITCHEN).orElseThrow().actions() != null);
    }
    try (DeviceConnection device = connect(hello)) {
      assertThat(device.receive(KindCase.WELCOME).getWelcome().getActionsWanted()).isFalse();
    }
  }

  @Test
  void endsASessionWhenItsDeviceIsRevoked() throws Exception {
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);

      CompletableFuture<Boolean> revoked = identity.devices().revoke(KITCHEN);

      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
      assertThat(revoked.get(10, TimeUnit.SECONDS)).isTrue();
    }
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
    }
    assertThat(server.hasSession(KITCHEN)).isFalse();
  }

  @Test
  void shutsTheFormerIdentityOutWhenADeviceEnrollsAgain() throws Exception {
    FleetPki.Held former = kitchen;
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);

      kitchen = enroll();

      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
    }
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);
    }
    kitchen = former;
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
    }
  }

  @Test
  void endsASessionThatStandsOnADroppedRoot() throws Exception {
    identity.fleetKeys().onRootsChanged(server::rootsChanged);
    try (DeviceConnection device = connect(hello("kitchen", Delivery.DELIVERY_PUSH, 0))) {
      device.receive(KindCase.WELCOME);
      identity.fleetKeys().roll();
      assertThat(server.hasSession(KITCHEN)).isTrue();

      identity.fleetKeys().finish(true);

      assertThat(device.receive(KindCase.BYE).getBye().getText()).contains("root");
      assertThat(device.receive()).isNull();
    }
    until("closed", () -> server.counters().closed(CloseReason.ROOT_DROPPED) == 1);
    assertThat(server.counters().opened()).isEqualTo(1);
  }

  // ---- steps

  private DeviceConnection connect(Frame hello) throws Exception {
    return DeviceConnection.session(address, identity.ca().root(), kitchen).send(hello);
  }

  private String submit(String action, byte[] body) throws Exception {
    Submission submission =
        commands
            .submit(
                new NewCommand(
                    KITCHEN,
                    action,
                    Map.of(),
                    body.length == 0 ? null : body,
                    InstantSource.system().instant().plus(Duration.ofMinutes(1)),
                    null))
            .get(10, TimeUnit.SECONDS);
    assertThat(submission).isInstanceOf(Submission.Accepted.class);
    return ((Submission.Accepted) submission).command().id();
  }

  private FleetPki.Held enroll() throws Exception {
    EnrollmentCode code =
        identity.devices().add(KITCHEN, Duration.ofHours(1)).get(10, TimeUnit.SECONDS);
    KeyPair keys = FleetPki.newKeys();
    byte[] request =
        new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=kitchen"), keys.getPublic())
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()))
            .getEncoded();
    try (DeviceConnection device =
        DeviceConnection.open(
            address,
            DeviceConnection.context(identity.ca().root(), null),
            "beckon-enroll/1",
            "TLSv1.3")) {
      device.send(
          Frame.newBuilder()
              .setEnrollmentRequest(
                  EnrollmentRequest.newBuilder()
                      .setSecret(ByteString.copyFrom(code.secret()))
                      .setCertificateRequest(ByteString.copyFrom(request)))
              .build());
      EnrollmentAnswer answer = device.receive(KindCase.ENROLLMENT_ANSWER).getEnrollmentAnswer();
      try (InputStream der =
          new ByteArrayInputStream(answer.getCertificateChain(0).toByteArray())) {
        return new FleetPki.Held(
            keys,
            (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(der));
      }
    }
  }
}
