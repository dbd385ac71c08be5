package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.protocol.datagram.WakeAnswer;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Receipt;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.Welcome;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole device on a board whose clock is wrong, over real sockets and TLS. */
class WrongClockTest {
  private static final byte[] KEY = new byte[32];
  private static final String C1 = "01ARZ3NDEKTSV4RRFFQ69G5FA1";

  @TempDir private Path folder;
  private TestFleet fleet;
  private ScriptedServer server;
  private @Nullable Device device;

  static {
    Arrays.fill(KEY, (byte) 5);
  }

  @BeforeEach
  void makeServer() throws Exception {
    fleet = TestFleet.shared();
    server = new ScriptedServer(fleet.server(), fleet.root());
  }

  @AfterEach
  void stop() throws IOException {
    if (device != null) {
      device.close();
    }
    server.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1970-01-01T00:00:00Z", "2105-06-07T08:09:10Z"})
  void enrollsIsWokenAndRunsACommand(String boardTime) throws Exception {
    Duration wrong = Duration.between(Instant.now(), Instant.parse(boardTime));
    InstantSource board = Clock.offset(Clock.systemUTC(), wrong);
    DeviceIdentity identity = enroll(board);
    device =
        Device.builder()
            .identity(identity)
            .board(board)
            .lab()
            .action("echo", command -> Result.of("text", command.text("text")))
            .build()
            .start();

    Keepalive keepalive = server.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(welcome(true));
      assertThat(peer.read().hasActions()).isTrue();
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
    server.sendWake(KEY, "kitchen", 0x77, keepalive.sequence());
    assertThat(((WakeAnswer) server.receive(KEY)).wakeId()).isEqualTo(0x77);
    try (ScriptedServer.Peer peer = server.accept()) {
      assertThat(peer.read().getHello().getWakeId()).isEqualTo(0x77);
      peer.write(welcome(false));
      peer.write(command());
      List<State> states = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Update update = peer.read().getUpdate();
        states.add(update.getState());
        assertThat(Instant.ofEpochMilli(update.getDeviceTimeMillis()))
            .as("the server's time")
            .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(60));
      }
      assertThat(states).containsExactly(State.DELIVERED, State.RUNNING, State.SUCCEEDED);
      peer.write(Frame.newBuilder().setReceipt(Receipt.newBuilder().setCommandId(C1)).build());
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
  }

  private DeviceIdentity enroll(InstantSource board) throws Exception {
    EnrollmentCode code =
        new EnrollmentCode(
            server.tlsAddress().getAddress().getHostAddress(),
            server.tlsAddress().getPort(),
            fleet.fingerprint(),
            new byte[EnrollmentCode.SECRET_BYTES],
            Instant.ofEpochSecond(Instant.now().getEpochSecond() + 60));
    CompletableFuture<DeviceIdentity> enrolling =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Enrollment.enroll(code, folder.resolve("device"), board);
              } catch (IOException e) {
                throw new CompletionException(e);
              }
            });
    try (ScriptedServer.Peer peer = server.accept()) {
      byte[] request = peer.read().getEnrollmentRequest().getCertificateRequest().toByteArray();
      X509Certificate certificate = fleet.device(request, "kitchen", 1);
      peer.write(
          Frame.newBuilder()
              .setEnrollmentAnswer(
                  EnrollmentAnswer.newBuilder()
                      .setDeviceId("kitchen")
                      .setGeneration(1)
                      .setKeyId(1)
                      .addCertificateChain(ByteString.copyFrom(certificate.getEncoded()))
                      .addCaRoots(ByteString.copyFrom(fleet.root().getEncoded()))
                      .setDeviceKey(ByteString.copyFrom(KEY))
                      .setUdpAddress(SocketAddresses.format(server.udpAddress()))
                      .setTlsAddress(SocketAddresses.format(server.tlsAddress()))
                      .setServerTimeMillis(System.currentTimeMillis()))
              .build());
    }
    return enrolling.get();
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

  private static Frame command() {
    return Frame.newBuilder()
        .setCommand(
            Command.newBuilder()
                .setDeviceId("kitchen")
                .setCommandId(C1)
                .setAction("echo")
                .putArgs("text", "hello")
                .setDeadlineMillis(System.currentTimeMillis() + 60_000))
        .build();
  }

  private static Frame bye() {
    return Frame.newBuilder().setBye(Bye.newBuilder().setReason(ByeReason.IDLE)).build();
  }
}
