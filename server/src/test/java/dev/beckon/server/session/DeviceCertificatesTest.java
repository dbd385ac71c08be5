package dev.beckon.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.DeviceId;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceCertificatesTest {

  private static final FleetPki FLEET = new FleetPki();

  private final DeviceCertificates certificates =
      new DeviceCertificates(() -> List.of(FLEET.root()), InstantSource.system());

  @Test
  void readsDeviceAndGenerationFromTheName() throws Exception {
    X509Certificate leaf = FLEET.device("urn:x.y_z-1", 65_535).certificate();

    assertThat(certificates.identity(leaf))
        .isEqualTo(new DeviceCertificates.Identity(new DeviceId("urn:x.y_z-1"), 65_535, leaf));
  }

  @Test
  void trustsADevicesCertificateWithAndWithoutTheRootBehindIt() {
    X509Certificate leaf = FLEET.device("kitchen", 1).certificate();

    assertThatCode(() -> certificates.checkClientTrusted(chain(leaf), "EC"))
        .doesNotThrowAnyException();
    assertThatCode(() -> certificates.checkClientTrusted(chain(leaf, FLEET.root()), "EC"))
        .doesNotThrowAnyException();
  }

  static Stream<Arguments> unfit() {
    Instant now = Instant.now();
    String right = "urn:beckon:device:kitchen/1";
    return Stream.of(
        Arguments.of(
            "server usage", new FleetPki.Wish().uris(right).usage(KeyPurposeId.id_kp_serverAuth)),
        Arguments.of("no usage", new FleetPki.Wish().uris(right).usage(null)),
        Arguments.of(
            "any usage", new FleetPki.Wish().uris(right).usage(KeyPurposeId.anyExtendedKeyUsage)),
        Arguments.of("a CA", new FleetPki.Wish().uris(right).ca()),
        Arguments.of("no name", new FleetPki.Wish()),
        Arguments.of("two names", new FleetPki.Wish().uris(right, "urn:beckon:device:cellar/1")),
        Arguments.of("the same name twice", new FleetPki.Wish().uris(right, right)),
        Arguments.of("a DNS name", new FleetPki.Wish().dnsName("kitchen")),
        Arguments.of("a server's name", new FleetPki.Wish().uris("urn:beckon:server:0/1")),
        Arguments.of(
            "expired",
            new FleetPki.Wish()
                .uris(right)
                .valid(now.minus(Duration.ofDays(9)), now.minus(Duration.ofDays(1)))),
        Arguments.of(
            "not yet valid",
            new FleetPki.Wish()
                .uris(right)
                .valid(now.plus(Duration.ofDays(1)), now.plus(Duration.ofDays(9)))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unfit")
  void refusesACertificateThatIsNoDevices(String what, FleetPki.Wish wish) {
    X509Certificate leaf = FLEET.issue(wish).certificate();

    assertThatThrownBy(() -> certificates.checkClientTrusted(chain(leaf), "EC"))
        .as(what)
        .isInstanceOf(CertificateException.class);
    assertThatThrownBy(() -> certificates.identity(leaf))
        .as(what)
        .isInstanceOf(CertificateException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "urn:beckon:device:kitchen",
        "urn:beckon:device:kitchen/",
        "urn:beckon:device:/1",
        "urn:beckon:device:kitchen/+1",
        "urn:beckon:device:kitchen/01",
        "urn:beckon:device:kitchen/-1",
        "urn:beckon:device:kitchen/65536",
        "urn:beckon:device:kitchen/1x",
        "urn:beckon:device:kit chen/1",
        "urn:beckon:device:a/b/1",
        "URN:BECKON:DEVICE:kitchen/1",
      })
  void refusesANameThatIsNotPlain(String uri) {
    X509Certificate leaf = FLEET.issue(new FleetPki.Wish().uris(uri)).certificate();

    assertThatThrownBy(() -> certificates.identity(leaf)).isInstanceOf(CertificateException.class);
  }

  @Test
  void refusesAnotherFleetsDevice() {
    X509Certificate stranger = new FleetPki().device("kitchen", 1).certificate();

    assertThatThrownBy(() -> certificates.checkClientTrusted(chain(stranger), "EC"))
        .isInstanceOf(CertificateException.class);
    assertThatThrownBy(() -> certificates.checkClientTrusted(chain(stranger, FLEET.root()), "EC"))
        .isInstanceOf(CertificateException.class);
  }

  @Test
  void refusesADeviceThatIssuedAnother() {
    // The root signs the middle one, which is a device's; it must not vouch for anybody.
    X509Certificate leaf = new FleetPki().device("kitchen", 1).certificate();

    assertThatThrownBy(
            () ->
                certificates.checkClientTrusted(
                    chain(leaf, FLEET.device("cellar", 1).certificate(), FLEET.root()), "EC"))
        .isInstanceOf(CertificateException.class);
  }

  @Test
  void refusesTheRootItself() {
    assertThatThrownBy(() -> certificates.checkClientTrusted(chain(FLEET.root()), "EC"))
        .isInstanceOf(CertificateException.class);
  }

  @Test
  void refusesEmptyAndEndlessChains() {
    X509Certificate leaf = FLEET.device("kitchen", 1).certificate();

    assertThatThrownBy(() -> certificates.checkClientTrusted(chain(), "EC"))
        .isInstanceOf(CertificateException.class);
    assertThatThrownBy(
            () -> certificates.checkClientTrusted(chain(leaf, leaf, leaf, leaf, leaf), "EC"))
        .isInstanceOf(CertificateException.class);
  }

  @Test
  void neverTrustsAServer() {
    X509Certificate leaf = FLEET.device("kitchen", 1).certificate();

    assertThatThrownBy(() -> certificates.checkServerTrusted(chain(leaf), "EC"))
        .isInstanceOf(CertificateException.class);
  }

  private static X509Certificate[] chain(X509Certificate... certificates) {
    return certificates;
  }
}
