package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.WakeAnswer;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.InquiryAnswer;
import dev.beckon.protocol.session.Receipt;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.Welcome;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole device against a server that follows the test's script, over real sockets and TLS. */
class DeviceLoopbackTest {
  private static final byte[] KEY = new byte[32];
  private static final String C1 = "01ARZ3NDEKTSV4RRFFQ69G5FA1";

  private static TestFleet fleet;
  private static TestFleet.Credentials rendezvous;
  private static KeyPair deviceKey;
  private static X509Certificate deviceCertificate;

  @TempDir private Path folder;
  private ScriptedServer server;
  private @Nullable Device device;
  private Duration interval = Duration.ofSeconds(25);
  private final CountDownLatch proceed = new CountDownLatch(1);

  static {
    Arrays.fill(KEY, (byte) 5);
  }

  @BeforeAll
  static void makeFleet() throws IOException, GeneralSecurityException {
    fleet = TestFleet.shared();
    rendezvous = fleet.server();
    deviceKey = CertificateRequest.newKey();
    deviceCertificate = fleet.device(CertificateRequest.create(deviceKey), "kitchen", 1);
  }

  @BeforeEach
  void makeServer() throws IOException, GeneralSecurityException {
    server = new ScriptedServer(rendezvous, fleet.root());
  }

  @AfterEach
  void stop() throws IOException {
    proceed.countDown();
    if (device != null) {
      device.close();
    }
    server.close();
  }

  @Test
  void runsACommandItWasWokenFor() throws Exception {
    start(Delivery.PUSH);
    Keepalive keepalive = server.answerKeepalive(KEY);
    learnActions();
    server.sendWake(KEY, "kitchen", 0x77, keepalive.sequence());

    assertThat(((WakeAnswer) server.receive(KEY)).wakeId()).isEqualTo(0x77);
    try (ScriptedServer.Peer peer = server.accept()) {
      assertThat(peer.read().getHello().getWakeId()).isEqualTo(0x77);
      peer.write(welcome(false));
      peer.write(command(C1, "echo"));
      assertThat(states(peer, 3)).containsExactly("DELIVERED", "RUNNING", "SUCCEEDED hello");
      peer.write(receipt(C1));
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
  }

  @Test
  void asksForItsCommandsIfItsDeliveryIsInquiry() throws Exception {
    start(Delivery.INQUIRY);
    Keepalive keepalive = server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(true));
      assertThat(peer.read().hasActions()).isTrue();
      assertThat(peer.read().hasInquiry()).isTrue();
      peer.write(inquiryAnswer(0));

      server.sendWake(KEY, "kitchen", 0x78, keepalive.sequence());
      assertThat(peer.read().getInquiry().getWakeId()).as("on the open session").isEqualTo(0x78);
      peer.write(inquiryAnswer(1));
      peer.write(command(C1, "echo"));
      assertThat(states(peer, 3)).endsWith("SUCCEEDED hello");
    }
  }

  @Test
  void answersAForeignOrForgedWakeWithSilence() throws Exception {
    start(Delivery.PUSH);
    Keepalive keepalive = server.answerKeepalive(KEY);
    learnActions();
    byte[] otherKey = KEY.clone();
    otherKey[0]++;
    server.sendWake(otherKey, "kitchen", 1, keepalive.sequence());
    server.sendWake(KEY, "cellar", 2, keepalive.sequence());
    server.sendWake(KEY, "kitchen", 3, keepalive.sequence() - 1);
    server.sendWake(KEY, "kitchen", 4, keepalive.sequence());

    assertThat(((WakeAnswer) server.receive(KEY)).wakeId()).as("the first answer").isEqualTo(4);
  }

  @Test
  void answersARepeatedWakeAgainButDialsOnce() throws Exception {
    start(Delivery.PUSH);
    Keepalive keepalive = server.answerKeepalive(KEY);
    learnActions();
    server.sendWake(KEY, "kitchen", 5, keepalive.sequence());
    server.sendWake(KEY, "kitchen", 5, keepalive.sequence());

    assertThat(server.receive(KEY)).isInstanceOf(WakeAnswer.class);
    assertThat(server.receive(KEY)).isInstanceOf(WakeAnswer.class);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
    server.patience(1_500);
    assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void dialsAgainWhenTheSessionBreaksWhileACommandRuns() throws Exception {
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      peer.write(command(C1, "wait"));
      assertThat(states(peer, 2)).containsExactly("DELIVERED", "RUNNING");
    }
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      assertThat(states(peer, 1)).containsExactly("RUNNING");
      proceed.countDown();
      assertThat(states(peer, 1)).containsExactly("SUCCEEDED");
    }
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      assertThat(states(peer, 1)).as("until its receipt").containsExactly("SUCCEEDED");
      peer.write(receipt(C1));
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
  }

  @Test
  void carriesBodiesBothWays() throws Exception {
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    byte[] body = new byte[100_000];
    Arrays.fill(body, (byte) 'b');
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      Command.Builder command = command(C1, "reverse").getCommand().toBuilder();
      peer.write(
          Frame.newBuilder()
              .setCommand(command.setHasBody(true).setBodyBytes(body.length))
              .build());
      for (int offset = 0; offset < body.length; offset += 32_768) {
        int length = Math.min(32_768, body.length - offset);
        peer.write(
            Frame.newBuilder()
                .setBodyChunk(
                    BodyChunk.newBuilder()
                        .setCommandId(C1)
                        .setOffset(offset)
                        .setContent(ByteString.copyFrom(body, offset, length))
                        .setLast(offset + length == body.length))
                .build());
      }
      assertThat(states(peer, 3)).endsWith("SUCCEEDED");
      ByteString back = ByteString.EMPTY;
      BodyChunk chunk;
      do {
        chunk = peer.read().getBodyChunk();
        assertThat(chunk.getOffset()).isEqualTo(back.size());
        assertThat(chunk.getContent().size()).isLessThanOrEqualTo(32_768);
        back = back.concat(chunk.getContent());
      } while (!chunk.getLast());
      assertThat(back.toByteArray()).isEqualTo(body);
    }
  }

  @Test
  void keepsNothingOfABodyWhoseTransferBroke() throws Exception {
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      Command.Builder command = command(C1, "reverse").getCommand().toBuilder();
      peer.write(
          Frame.newBuilder().setCommand(command.setHasBody(true).setBodyBytes(100_000)).build());
      BodyChunk.Builder chunk = BodyChunk.newBuilder().setCommandId(C1);
      chunk.setContent(ByteString.copyFrom(new byte[30_000]));
      peer.write(Frame.newBuilder().setBodyChunk(chunk).build());
      peer.write(bye()); // so it has read what was before
      assertThat(peer.isAtEnd()).isTrue();
    }
    try (ScriptedServer.Peer peer = server.accept()) {
      assertThat(peer.read().hasHello()).isTrue();
      assertThat(folder.resolve("bodies")).isEmptyDirectory();
    }
  }

  @Test
  void staysAwayAfterARenewalThatItCannotUse() throws Exception {
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(
          Frame.newBuilder()
              .setWelcome(welcome(false).getWelcome().toBuilder().setRenewalWanted(true))
              .build());
      assertThat(peer.read().hasRenewalRequest()).isTrue();
      Renewal.Builder renewal = Renewal.newBuilder().setGeneration(1); // for no key at all
      peer.write(Frame.newBuilder().setRenewal(renewal).build());
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
    server.patience(1_500);
    assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void doesNotTalkToAServerOfAnotherNumber() throws Exception {
    serve(fleet.server("san=uri:urn:beckon:server:7/1", "eku=serverAuth"));
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);

    // The alert, or a broken pipe if the device hangs up while the server still shakes hands.
    assertThatThrownBy(() -> server.accept().read()).isInstanceOf(IOException.class);
  }

  @Test
  void doesNotTalkToADeviceThatClaimsToBeTheServer() throws Exception {
    serve(
        new TestFleet.Credentials(
            deviceKey.getPrivate(), List.of(deviceCertificate, fleet.root())));
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);

    assertThatThrownBy(() -> server.accept().read()).isInstanceOf(IOException.class);
  }

  @Test
  void dialsInAtTheNextStartOnlyIfItsActionsChanged() throws Exception {
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    learnActions();
    restart();
    server.answerKeepalive(KEY);
    server.patience(1_500);

    assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void reportsWhatARestartLeftUnreported() throws Exception {
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      peer.write(command(C1, "echo"));
      assertThat(states(peer, 3)).endsWith("SUCCEEDED hello");
      restart();
    }
    while (!(server.receive(KEY) instanceof Keepalive)) {}
    // The first keepalive of the new socket is sent again until it is answered.
    server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(false));
      assertThat(states(peer, 1)).containsExactly("SUCCEEDED hello");
    }
  }

  @Test
  void keepsItsSocketAndStaysAwayWhileTheServersPortIsClosed() throws Exception {
    interval = Duration.ofSeconds(2);
    start(Delivery.PUSH);
    server.answerKeepalive(KEY);
    learnActions();
    InetSocketAddress before = server.device();
    InetSocketAddress address = server.udpAddress();
    server.closeUdp(); // the system now answers keepalives with ICMP
    server.patienceForDials(3_500);
    assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
    server.reopenUdp(address);

    server.receiveKeepalive(KEY);
    assertThat(server.device()).isEqualTo(before);
  }

  @Test
  void takesANewSocketAfterThreeSilentIntervals() throws Exception {
    interval = Duration.ofSeconds(1);
    start(Delivery.PUSH);
    server.receiveKeepalive(KEY);
    InetSocketAddress first = server.device();
    int keepalives = 0;
    while (server.device().equals(first)) {
      server.receiveKeepalive(KEY);
      keepalives++;
    }

    assertThat(keepalives).as("three intervals, each with one retransmission").isBetween(4, 7);
    server.answerKeepalive(KEY);
    learnActions();
  }

  @Test
  void refusesASecondDeviceOnTheSameFolder() throws Exception {
    Device running = start(Delivery.PUSH);
    Device second = Device.builder().identity(running.identity()).build();

    assertThatThrownBy(second::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use");
  }

  @Test
  void refusesMoreActionsThanAFrameHolds() throws Exception {
    Device.Builder builder =
        Device.builder()
            .identity(start(Delivery.PUSH).identity())
            .action(Action.named("long").describedAs("x".repeat(66_000)), command -> Result.ok());

    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("actions: 66");
  }

  private void serve(TestFleet.Credentials credentials)
      throws IOException, GeneralSecurityException {
    server.close();
    server = new ScriptedServer(credentials, fleet.root());
  }

  private Device start(Delivery delivery) throws IOException {
    DeviceIdentity identity =
        new DeviceIdentity(
            folder,
            new DeviceId("kitchen"),
            1,
            1,
            server.udpAddress(),
            server.tlsAddress(),
            0,
            KEY,
            deviceKey.getPrivate(),
            List.of(deviceCertificate, fleet.root()),
            List.of(fleet.root()));
    identity.store();
    Device started =
        Device.builder()
            .identity(DeviceIdentity.load(folder))
            .delivery(delivery)
            .interval(interval)
            .lab()
            .action("echo", command -> Result.of("text", command.text("text")))
            .action(
                "wait",
                command -> {
                  proceed.await();
                  return Result.ok();
                })
            .action(
                Action.named("reverse").takesOtherArguments().takesBody(),
                command -> {
                  try (var body = command.body()) {
                    return Result.ok().withBody(body.readAllBytes());
                  }
                })
            .build();
    device = started;
    return started.start();
  }

  private void restart() throws IOException {
    Device running = device;
    if (running != null) {
      running.close();
    }
    start(Delivery.PUSH);
  }

  /** The session in which the server learns the device's actions. */
  private void learnActions() throws IOException {
    try (ScriptedServer.Peer peer = server.accept()) {
      assertThat(peer.read().getHello().getDeviceId()).isEqualTo("kitchen");
      peer.write(welcome(true));
      assertThat(peer.read().getActions().getActionsCount()).isEqualTo(3);
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
  }

  private static List<String> states(ScriptedServer.Peer peer, int count) throws IOException {
    String[] states = new String[count];
    for (int i = 0; i < count; i++) {
      Update update = peer.read().getUpdate();
      String text = update.getResultOrDefault("text", "");
      states[i] = (update.getState() + " " + text).strip();
      assertThat(update.getState()).isNotEqualTo(State.STATE_UNSPECIFIED);
    }
    return List.of(states);
  }

  private static Frame welcome(boolean actionsWanted) {
    return Frame.newBuilder()
        .setWelcome(
            Welcome.newBuilder()
                .setServerTimeMillis(System.currentTimeMillis())
                .setLingerMillis(5_000)
                .setActionsWanted(actionsWanted))
        .build();
  }

  private static Frame command(String id, String action) {
    return Frame.newBuilder()
        .setCommand(
            Command.newBuilder()
                .setDeviceId("kitchen")
                .setCommandId(id)
                .setAction(action)
                .putArgs("text", "hello")
                .setDeadlineMillis(System.currentTimeMillis() + 60_000))
        .build();
  }

  private static Frame inquiryAnswer(int commands) {
    return Frame.newBuilder()
        .setInquiryAnswer(InquiryAnswer.newBuilder().setCommands(commands))
        .build();
  }

  private static Frame receipt(String id) {
    return Frame.newBuilder().setReceipt(Receipt.newBuilder().setCommandId(id)).build();
  }

  private static Frame bye() {
    return Frame.newBuilder().setBye(Bye.newBuilder().setReason(ByeReason.IDLE)).build();
  }
}
