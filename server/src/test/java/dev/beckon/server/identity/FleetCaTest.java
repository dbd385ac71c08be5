package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FleetCaTest {

  private static final Instant NOW = Instant.parse("2026-05-04T03:02:01Z");
  private static final DeviceId KITCHEN = new DeviceId("kitchen:1");
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

  @TempDir private Path temp;

  private FleetCa ca() {
    return ca(NOW);
  }

  private FleetCa ca(Instant now) {
    return FleetCa.openOrCreate(temp, InstantSource.fixed(now));
  }

  @Test
  void isMadeOnceAndKeptPrivate() throws Exception {
    FleetCa first = ca();
    FleetCa again = ca();

    assertThat(again.root()).isEqualTo(first.root());
    assertThat(again.fingerprint()).isEqualTo(FleetCa.sha256(first.root().getEncoded()));
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(temp.resolve("fleet-ca.pem"))))
        .isEqualTo("rw-------");
  }

  @Test
  void isACaOfItsOwn() throws Exception {
    X509Certificate root = ca().root();

    root.verify(root.getPublicKey());
    assertThat(root.getBasicConstraints()).as("signs no other CA").isZero();
    assertThat(root.getKeyUsage()[5]).as("keyCertSign").isTrue();
    assertThat(root.getPublicKey().getAlgorithm()).isEqualTo("EC");
    assertThat(root.getNotAfter().toInstant()).isAfter(NOW.plus(Duration.ofDays(40 * 365)));
  }

  @Test
  void signsADevicesKeyForTwoYears() throws Exception {
    FleetCa ca = ca();
    KeyPair keys = Requests.p256();

    X509Certificate certificate = ca.issueDevice(Requests.of(keys), KITCHEN, 3);

    certificate.verify(ca.root().getPublicKey());
    assertThat(certificate.getPublicKey()).isEqualTo(keys.getPublic());
    assertThat(certificate.getSubjectAlternativeNames())
        .containsExactly(List.of(6, "urn:beckon:device:kitchen:1/3"));
    assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=kitchen:1");
    assertThat(certificate.getExtendedKeyUsage()).containsExactly(CLIENT_AUTH);
    assertThat(certificate.getBasicConstraints()).as("no CA").isEqualTo(-1);
    assertThat(certificate.getSerialNumber().signum()).isPositive();
    assertThat(certificate.getNotBefore().toInstant()).isEqualTo(NOW.minus(Duration.ofHours(1)));
    assertThat(certificate.getNotAfter().toInstant()).isEqualTo(NOW.plus(Duration.ofDays(2 * 365)));
  }

  @Test
  void refusesARequestThatAnotherKeySigned() {
    byte[] request = Requests.of(Requests.p256(), Requests.p256());

    assertThatThrownBy(() -> ca().issueDevice(request, KITCHEN, 1))
        .isInstanceOf(InvalidCertificateRequestException.class)
        .hasMessage("certificate request: its signature is not of its own key");
  }

  @Test
  void refusesAKeyOfAnotherKind() {
    for (KeyPair keys : List.of(Requests.rsa(), Requests.ec("secp384r1"))) {
      assertThatThrownBy(() -> ca().issueDevice(Requests.of(keys), KITCHEN, 1))
          .isInstanceOf(InvalidCertificateRequestException.class)
          .hasMessage("certificate request: its key is of another kind (expected EC on P-256)");
    }
  }

  @Test
  void refusesAPointThatIsNotOnTheCurve() throws Exception {
    byte[] request = Requests.of(Requests.p256());
    // The uncompressed point is the last thing of the key: 04 ‖ x ‖ y.
    byte[] point =
        new PKCS10CertificationRequest(request)
            .getSubjectPublicKeyInfo()
            .getPublicKeyData()
            .getBytes();
    int at = indexOf(request, point);
    request[at + point.length - 1] ^= 1;

    assertThatThrownBy(() -> ca().issueDevice(request, KITCHEN, 1))
        .isInstanceOf(InvalidCertificateRequestException.class)
        .hasMessage("certificate request: not readable as PKCS #10 in DER");
  }

  private static int indexOf(byte[] all, byte[] part) {
    for (int i = 0; i + part.length <= all.length; i++) {
      if (Arrays.equals(all, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  @Test
  void refusesEveryPrefixOfARequest() {
    FleetCa ca = ca();
    byte[] request = Requests.of(Requests.p256());

    for (int length = 0; length < request.length; length++) {
      byte[] prefix = Arrays.copyOf(request, length);
      assertThatExceptionOfType(InvalidCertificateRequestException.class)
          .as("prefix of %d bytes", length)
          .isThrownBy(() -> ca.issueDevice(prefix, KITCHEN, 1));
    }
  }

  @Test
  void neverSignsAnotherKeyWhateverBitOfARequestChanges() {
    FleetCa ca = ca();
    KeyPair keys = Requests.p256();
    byte[] request = Requests.of(keys);
    int refused = 0;

    for (int bit = 0; bit < 8 * request.length; bit++) {
      byte[] changed = request.clone();
      changed[bit / 8] ^= (byte) (1 << (bit % 8));
      try {
        X509Certificate certificate = ca.issueDevice(changed, KITCHEN, 1);
        assertThat(certificate.getPublicKey()).as("bit %d", bit).isEqualTo(keys.getPublic());
      } catch (InvalidCertificateRequestException e) {
        refused++;
      }
    }

    // A few bits carry nothing: the length of the empty attributes, the padding of a bit string.
    assertThat(refused).isGreaterThan(8 * request.length - 20);
  }

  @Test
  void refusesARequestOfAnyLength() {
    assertThatThrownBy(() -> ca().issueDevice(new byte[8193], KITCHEN, 1))
        .hasMessage("certificate request: 8193 bytes (expected 1 to 8192, PKCS #10 in DER)");
  }

  @Test
  void refusesAGenerationOutOfRange() {
    for (int generation : new int[] {0, 65_536}) {
      assertThatThrownBy(() -> ca().issueDevice(Requests.of(Requests.p256()), KITCHEN, generation))
          .hasMessage("generation: " + generation + " (expected 1 to 65535)");
    }
  }

  @Test
  void signsAnEnrolledServersKeyForBothEndsOfTls() throws Exception {
    FleetCa ca = ca();
    KeyPair keys = Requests.p256();

    X509Certificate certificate = ca.issueServerFor(Requests.of(keys), 7, 2);

    certificate.verify(ca.chain().getFirst().getPublicKey());
    assertThat(ca.roots()).containsExactly(ca.root());
    assertThat(certificate.getPublicKey()).isEqualTo(keys.getPublic());
    assertThat(certificate.getSubjectAlternativeNames())
        .containsExactly(List.of(6, "urn:beckon:server:7/2"));
    assertThat(certificate.getExtendedKeyUsage()).containsExactly(SERVER_AUTH, CLIENT_AUTH);
    assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
    assertThat(certificate.getNotAfter().toInstant()).isEqualTo(NOW.plus(Duration.ofDays(365)));
  }

  @Test
  void signsNoEnrolledServerAsTheRendezvousServer() {
    for (int number : new int[] {0, 65_536}) {
      assertThatThrownBy(() -> ca().issueServerFor(Requests.of(Requests.p256()), number, 1))
          .hasMessage("server number: " + number + " (expected 1 to 65535)");
    }
  }

  @Test
  void showsAServerByItsNumbers() throws Exception {
    FleetCa ca = ca();

    ServerCredentials credentials = ca.issueServer(Set.of(65_535, 0));

    X509Certificate leaf = credentials.chain().getFirst();
    leaf.verify(ca.root().getPublicKey());
    assertThat(credentials.chain()).hasSize(2).endsWith(ca.root());
    assertThat(leaf.getSubjectAlternativeNames())
        .containsExactlyInAnyOrder(
            List.of(6, "urn:beckon:server:0/1"), List.of(6, "urn:beckon:server:65535/1"));
    assertThat(leaf.getExtendedKeyUsage()).containsExactly(SERVER_AUTH);
    assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(temp.resolve("server.pem"))))
        .isEqualTo("rw-------");
  }

  @Test
  void keepsAServersCredentialsForHalfTheirLife() {
    ServerCredentials first = ca().issueServer(Set.of(0));

    ServerCredentials before = ca(first.renewAfter().minusMillis(1)).issueServer(Set.of(0));
    ServerCredentials after = ca(first.renewAfter()).issueServer(Set.of(0));

    assertThat(before.chain()).isEqualTo(first.chain());
    assertThat(before.key()).isEqualTo(first.key());
    assertThat(after.chain()).isNotEqualTo(first.chain());
    assertThat(first.renewAfter())
        .isBetween(NOW.plus(Duration.ofDays(180)), NOW.plus(Duration.ofDays(184)));
  }

  @Test
  void makesNewCredentialsForOtherNumbers() {
    ServerCredentials first = ca().issueServer(Set.of(0));

    assertThat(ca().issueServer(Set.of(0, 1)).chain()).isNotEqualTo(first.chain());
  }

  @Test
  void leavesADamagedFileAsItIs() throws IOException {
    ca().issueServer(Set.of(0));
    for (String name : List.of("fleet-ca.pem", "server.pem")) {
      Path file = temp.resolve(name);
      String good = Files.readString(file);
      for (String bad :
          List.of(
              "",
              "garbage",
              good.substring(0, good.length() / 2),
              good.substring(good.indexOf("-----BEGIN CERTIFICATE")),
              good.replaceAll("(?s)-----BEGIN CERTIFICATE.*", ""),
              otherLetter(good, 80),
              otherLetter(good, good.length() - 60))) {
        Files.writeString(file, bad);

        assertThatThrownBy(() -> ca().issueServer(Set.of(0)))
            .as("%s: %s", name, bad)
            .isInstanceOf(StoreException.class)
            .hasMessageStartingWith(file + ": damaged: ")
            .hasMessageEndingWith("(restore it from a backup; nothing was overwritten)");
        assertThat(file).hasContent(bad);
      }
      Files.writeString(file, good);
    }
  }

  private static String otherLetter(String text, int near) {
    int at = near;
    while (!Character.isLetter(text.charAt(at))) {
      at++;
    }
    char other = text.charAt(at) == 'A' ? 'B' : 'A';
    return text.substring(0, at) + other + text.substring(at + 1);
  }

  @Test
  void saysThatTheServersCredentialsAreOfAnotherCa() throws IOException {
    ca().issueServer(Set.of(0));
    Files.delete(temp.resolve("fleet-ca.pem"));

    assertThatThrownBy(() -> ca().issueServer(Set.of(0)))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith(temp.resolve("server.pem") + ": not of this fleet's CA");
  }

  @Test
  void wantsAtLeastOneNumber() {
    assertThatThrownBy(() -> ca().issueServer(Set.of()))
        .hasMessage("server numbers: none (expected 1 or more)");
  }

  @Test
  void tellsOfADevicesCertificateWhetherItIsOfTheNewestRoot() {
    FleetCa ca = ca();
    PublicKey key = Certificates.newKeyPair().getPublic();
    X509Certificate before = ca.issueDevice(key, new DeviceId("kitchen"), 1);
    assertThat(ca.namesNewestRoot(before)).isTrue();

    ca.roll();

    assertThat(ca.namesNewestRoot(before)).isFalse();
    assertThat(ca.namesNewestRoot(ca.issueDevice(key, new DeviceId("kitchen"), 1))).isTrue();
  }
}
