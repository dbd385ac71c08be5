package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.device.directory.Directory;
import dev.beckon.device.directory.TestDirectory;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Enrollment against a server that follows the test's script, over real TLS. */
class EnrollmentTest {
  private static final byte[] SECRET = new byte[EnrollmentCode.SECRET_BYTES];

  private static TestFleet fleet;
  private static TestFleet.Credentials rendezvous;

  @TempDir private Path folder;
  private ScriptedServer server;
  private ByteString directory = ByteString.EMPTY;

  @BeforeAll
  static void makeFleet() throws IOException, GeneralSecurityException {
    fleet = TestFleet.shared();
    rendezvous = fleet.server();
  }

  @BeforeEach
  void makeServer() throws IOException, GeneralSecurityException {
    server = new ScriptedServer(rendezvous, fleet.root());
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void makesAKeyHasItCertifiedAndKeepsTheIdentity() throws Exception {
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    X509Certificate certificate = answer();
    enrolling.get();

    DeviceIdentity identity = DeviceIdentity.load(data());
    assertThat(identity.deviceId().value()).isEqualTo("urn:dev:kitchen");
    assertThat(identity.generation()).isEqualTo(3);
    assertThat(identity.keyId()).isEqualTo(2);
    assertThat(identity.udpAddress().getHostString()).isEqualTo("2001:db8::1");
    assertThat(identity.udpAddress().getPort()).isEqualTo(3478);
    assertThat(identity.tlsAddress().getHostString()).isEqualTo("example.com");
    assertThat(identity.deviceKey()).hasSize(32).containsOnly(5);
    assertThat(identity.certificates().get(0)).isEqualTo(certificate);
    assertThat(identity.roots()).containsExactly(fleet.root());
  }

  @Test
  void keepsEverythingFromOtherUsers() throws Exception {
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    answer();
    enrolling.get();

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data())))
        .isEqualTo("rwx------");
    try (Stream<Path> files = Files.list(data())) {
      for (Path file : files.toList()) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            .as(file.toString())
            .isEqualTo("rw-------");
      }
    }
  }

  @Test
  void asksWithTheSameKeyAgainWhenTheAnswerWasLost() throws Exception {
    CompletableFuture<DeviceIdentity> first = enroll(code(), InstantSource.system());
    ByteString lost;
    try (ScriptedServer.Peer peer = server.accept()) {
      lost = publicKey(peer.read().getEnrollmentRequest());
    }
    assertThatThrownBy(first::get).hasMessageContaining("try again with the same code");

    CompletableFuture<DeviceIdentity> second = enroll(code(), InstantSource.system());
    X509Certificate certificate = answer();
    second.get();
    assertThat(ByteString.copyFrom(certificate.getPublicKey().getEncoded())).isEqualTo(lost);
    assertThat(data().resolve("enrolling-key.pem")).doesNotExist();
  }

  @Test
  void tellsWhyTheServerRefuses() throws Exception {
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(
          Frame.newBuilder()
              .setEnrollmentRefusal(
                  EnrollmentRefusal.newBuilder()
                      .setCode("enrollment-code-expired")
                      .setText("make a new one"))
              .build());
    }
    assertThatThrownBy(enrolling::get)
        .cause()
        .isInstanceOfSatisfying(
            EnrollmentRefusedException.class,
            e -> assertThat(e.code()).isEqualTo("enrollment-code-expired"))
        .hasMessageContaining("make a new one");
    assertThatThrownBy(() -> DeviceIdentity.load(data())).hasMessageContaining("beckon enroll");
  }

  @Test
  void givesTheSecretToNoServerOfAnotherFleet() throws Exception {
    byte[] otherFingerprint = fleet.fingerprint();
    otherFingerprint[31] ^= 1;
    CompletableFuture<DeviceIdentity> enrolling =
        enroll(code(otherFingerprint, Instant.now()), InstantSource.system());

    assertThatThrownBy(() -> server.accept().read()).isInstanceOf(IOException.class);
    assertThatThrownBy(enrolling::get)
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("another fleet");
  }

  @Test
  void worksOnABoardThatDoesNotKnowTheTime() throws Exception {
    CompletableFuture<DeviceIdentity> enrolling =
        enroll(code(), InstantSource.fixed(Instant.EPOCH));
    answer();

    assertThat(enrolling.get().deviceId().value()).isEqualTo("urn:dev:kitchen");
  }

  @Test
  void refusesACertificateForAnotherKey() throws Exception {
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    try (ScriptedServer.Peer peer = server.accept()) {
      peer.read();
      peer.write(
          Frame.newBuilder().setEnrollmentAnswer(answerWith(rendezvous.chain().get(0))).build());
    }
    assertThatThrownBy(enrolling::get).hasMessageContaining("not for this device's key");
  }

  @Test
  void keepsTheDirectoryThatComesWithTheIdentity() throws Exception {
    directory = sign(fleet.server("san=uri:urn:beckon:server:65535/1", "eku=serverAuth"), 4);
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    answer();
    enrolling.get();

    assertThat(new DirectoryFile(data()).load().version()).isEqualTo(4);
  }

  @Test
  void keepsNeitherAForgedDirectoryNorAFormerFleetsOne() throws Exception {
    SecretFiles.createFolder(data());
    new DirectoryFile(data()).store(sign(rendezvous, 9).toByteArray());
    directory = sign(rendezvous, 4); // signed by server 0
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    answer();
    enrolling.get();

    assertThat(new DirectoryFile(data()).load()).isEqualTo(Directory.NONE);
  }

  @Test
  void saysWhatToDoAboutADamagedIdentity() throws Exception {
    CompletableFuture<DeviceIdentity> enrolling = enroll(code(), InstantSource.system());
    answer();
    enrolling.get();
    Files.writeString(data().resolve("identity.properties"), "device-id=kitchen");

    assertThatThrownBy(() -> DeviceIdentity.load(data()))
        .hasMessageContaining("damaged")
        .hasMessageContaining("beckon enroll");
  }

  private CompletableFuture<DeviceIdentity> enroll(EnrollmentCode code, InstantSource clock) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return Enrollment.enroll(code, data(), clock);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        });
  }

  private EnrollmentCode code() throws GeneralSecurityException {
    return code(fleet.fingerprint(), Instant.now().plusSeconds(60));
  }

  private EnrollmentCode code(byte[] fingerprint, Instant expiry) {
    return new EnrollmentCode(
        server.tlsAddress().getAddress().getHostAddress(),
        server.tlsAddress().getPort(),
        fingerprint,
        SECRET,
        Instant.ofEpochSecond(expiry.getEpochSecond()));
  }

  private X509Certificate answer() throws IOException, GeneralSecurityException {
    try (ScriptedServer.Peer peer = server.accept()) {
      assertThat(peer.socket().getApplicationProtocol()).isEqualTo("beckon-enroll/1");
      EnrollmentRequest request = peer.read().getEnrollmentRequest();
      assertThat(request.getSecret().toByteArray()).isEqualTo(SECRET);
      X509Certificate certificate =
          fleet.device(request.getCertificateRequest().toByteArray(), "kitchen", 3);
      peer.write(Frame.newBuilder().setEnrollmentAnswer(answerWith(certificate)).build());
      return certificate;
    }
  }

  private static ByteString sign(TestFleet.Credentials signer, int version)
      throws GeneralSecurityException {
    return ByteString.copyFrom(
        TestDirectory.sign(signer, TestDirectory.list(version, Map.of(7, "192.0.2.7"))));
  }

  private EnrollmentAnswer answerWith(X509Certificate certificate) throws GeneralSecurityException {
    byte[] key = new byte[32];
    Arrays.fill(key, (byte) 5);
    return EnrollmentAnswer.newBuilder()
        .setDeviceId("urn:dev:kitchen")
        .setGeneration(3)
        .setKeyId(2)
        .addCertificateChain(ByteString.copyFrom(certificate.getEncoded()))
        .addCertificateChain(ByteString.copyFrom(fleet.root().getEncoded()))
        .addCaRoots(ByteString.copyFrom(fleet.root().getEncoded()))
        .setDeviceKey(ByteString.copyFrom(key))
        .setUdpAddress("[2001:db8::1]:3478")
        .setTlsAddress("example.com:5349")
        .setServerTimeMillis(System.currentTimeMillis())
        .setDirectory(directory)
        .build();
  }

  /** keytool proves the request's signature when it signs it; here only the key matters. */
  private static ByteString publicKey(EnrollmentRequest request)
      throws IOException, GeneralSecurityException {
    return ByteString.copyFrom(
        fleet
            .device(request.getCertificateRequest().toByteArray(), "kitchen", 3)
            .getPublicKey()
            .getEncoded());
  }

  private Path data() {
    return folder.resolve("device");
  }
}
