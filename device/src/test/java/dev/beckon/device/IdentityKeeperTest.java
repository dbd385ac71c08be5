package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Renewal;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The device's identity on the disk, and how a renewal replaces it. */
class IdentityKeeperTest {
  private static final long NOW = 1_800_000_000_000L;

  @TempDir private Path folder;
  private TestFleet fleet;
  private IdentityKeeper keeper;

  @BeforeEach
  void enroll() throws Exception {
    fleet = TestFleet.shared();
    KeyPair key = CertificateRequest.newKey();
    X509Certificate certificate = fleet.device(CertificateRequest.create(key), "kitchen", 3);
    new DeviceIdentity(
            folder,
            new DeviceId("kitchen"),
            3,
            1,
            InetSocketAddress.createUnresolved("2001:db8::1", 3478),
            InetSocketAddress.createUnresolved("example.com", 5349),
            NOW,
            filled(1),
            key.getPrivate(),
            List.of(certificate),
            List.of(fleet.root()))
        .store();
    keeper = new IdentityKeeper(DeviceIdentity.load(folder));
  }

  private static byte[] filled(int value) {
    byte[] key = new byte[32];
    Arrays.fill(key, (byte) value);
    return key;
  }

  private Renewal answer(byte[] request) throws Exception {
    return Renewal.newBuilder()
        .setGeneration(3)
        .addCertificateChain(ByteString.copyFrom(fleet.device(request, "kitchen", 3).getEncoded()))
        .addCaRoots(ByteString.copyFrom(fleet.root().getEncoded()))
        .addCaRoots(ByteString.copyFrom(fleet.server().chain().get(0).getEncoded()))
        .setDeviceKey(ByteString.copyFrom(filled(2)))
        .setKeyId(2)
        .build();
  }

  @Test
  void takesEverythingOverAtOnceAndKeepsIt() throws Exception {
    DeviceIdentity before = keeper.current();

    keeper.accept(answer(keeper.request()), NOW + 5);

    DeviceIdentity after = DeviceIdentity.load(folder);
    for (DeviceIdentity identity : List.of(keeper.current(), after)) {
      assertThat(identity.deviceId()).isEqualTo(before.deviceId());
      assertThat(identity.generation()).isEqualTo(3);
      assertThat(identity.udpAddress()).isEqualTo(before.udpAddress());
      assertThat(identity.keyId()).isEqualTo(2);
      assertThat(identity.deviceKey()).isEqualTo(filled(2));
      assertThat(identity.privateKey()).isNotEqualTo(before.privateKey());
      assertThat(identity.certificates()).isNotEqualTo(before.certificates());
      assertThat(identity.roots()).hasSize(2);
      assertThat(identity.serverTimeMillis()).isEqualTo(NOW + 5);
    }
    assertThat(keeper.held().justRenewed()).isTrue();
    assertThat(keeper.held().keyId()).isEqualTo(2);
    keeper.confirmed();
    assertThat(keeper.held().justRenewed()).isFalse();
  }

  @Test
  void asksForTheSameKeyUntilItIsAnswered() throws Exception {
    byte[] first = publicKey(keeper.request());
    keeper = new IdentityKeeper(DeviceIdentity.load(folder)); // the power was gone
    byte[] request = keeper.request();
    assertThat(publicKey(request)).isEqualTo(first);

    keeper.accept(answer(request), NOW);

    assertThat(publicKey(keeper.request())).as("the next renewal's").isNotEqualTo(first);
  }

  @Test
  void makesANewKeyIfThePowerWentAfterTheIdentityWasReplaced() throws Exception {
    byte[] request = keeper.request();
    Path pending = folder.resolve("renewing-key.pem");
    byte[] kept = Files.readAllBytes(pending);
    keeper.accept(answer(request), NOW);
    Files.write(pending, kept);

    assertThat(publicKey(keeper.request())).isNotEqualTo(publicKey(request));
  }

  @Test
  void staysAsItWasIfTheAnswerIsForAnotherKeyOrGeneration() throws Exception {
    byte[] file = Files.readAllBytes(folder.resolve("identity.properties"));
    byte[] request = keeper.request();
    byte[] other = CertificateRequest.create(CertificateRequest.newKey());
    List<Renewal> wrong =
        List.of(
            answer(other),
            answer(request).toBuilder().setGeneration(4).build(),
            answer(request).toBuilder().clearCertificateChain().build(),
            answer(request).toBuilder().clearCaRoots().build(),
            answer(request).toBuilder().setDeviceKey(ByteString.EMPTY).build(),
            answer(request).toBuilder()
                .setCertificateChain(0, ByteString.copyFromUtf8("no certificate"))
                .build());
    for (Renewal renewal : wrong) {
      assertThatThrownBy(() -> keeper.accept(renewal, NOW))
          .as(renewal.toString())
          .isInstanceOf(IOException.class);
      assertThat(keeper.current().keyId()).isEqualTo(1);
      assertThat(folder.resolve("identity.properties")).hasBinaryContent(file);
    }
    keeper.accept(answer(request), NOW);
    assertThat(keeper.current().keyId()).isEqualTo(2);
  }

  /** The file is replaced by a rename, so what a power cut leaves is the one or the other. */
  @Test
  void readsTheFormerIdentityBesideAHalfWrittenNewOne() throws Exception {
    byte[] whole = Files.readAllBytes(folder.resolve("identity.properties"));
    for (int length = 0; length < whole.length; length += 97) {
      Files.write(folder.resolve("identity.properties.new"), Arrays.copyOf(whole, length));

      assertThat(DeviceIdentity.load(folder).keyId()).isEqualTo(1);
    }
    keeper.accept(answer(keeper.request()), NOW);
    assertThat(DeviceIdentity.load(folder).keyId()).isEqualTo(2);
  }

  @Test
  void refusesEveryPrefixOfTheFile() throws Exception {
    Path file = folder.resolve("identity.properties");
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length - 1; length += 13) {
      Files.write(file, Arrays.copyOf(whole, length));

      assertThatThrownBy(() -> DeviceIdentity.load(folder))
          .as("%d bytes", length)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("beckon enroll");
    }
  }

  @Test
  void keepsOneSecretFileForItsOwnerOnly() throws Exception {
    keeper.request();
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files)
          .allSatisfy(
              file ->
                  assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                      .isEqualTo("rw-------"))
          .extracting(file -> file.getFileName().toString())
          .containsExactlyInAnyOrder("identity.properties", "renewing-key.pem");
    }
  }

  @Test
  void isDueAtHalfOfTheCertificatesLife() {
    X509Certificate own = keeper.current().certificates().get(0);
    Duration life = Duration.between(own.getNotBefore().toInstant(), own.getNotAfter().toInstant());

    assertThat(keeper.held().renewAfterMillis())
        .isEqualTo(own.getNotBefore().toInstant().plus(life.dividedBy(2)).toEpochMilli());
  }

  private byte[] publicKey(byte[] request) throws Exception {
    return fleet.device(request, "kitchen", 3).getPublicKey().getEncoded();
  }
}
