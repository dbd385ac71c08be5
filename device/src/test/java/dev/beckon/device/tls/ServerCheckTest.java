package dev.beckon.device.tls;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.device.TestFleet;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerCheckTest {
  private static final Instant NOW = Instant.now();

  private static TestFleet fleet;
  private static List<X509Certificate> chain;

  @BeforeAll
  static void makeFleet() throws IOException, GeneralSecurityException {
    fleet = TestFleet.shared();
    chain =
        fleet
            .server("san=uri:urn:beckon:server:0/1,uri:urn:beckon:server:65535/1", "eku=serverAuth")
            .chain();
  }

  @Test
  void acceptsTheFleetsServerInEachOfItsRoles() {
    assertThatCode(() -> ServerCheck.check(chain, List.of(fleet.root()), 0, NOW))
        .doesNotThrowAnyException();
    assertThatCode(() -> ServerCheck.check(chain, List.of(fleet.root()), 65_535, NOW))
        .doesNotThrowAnyException();
    assertThatCode(() -> ServerCheck.check(chain.subList(0, 1), List.of(fleet.root()), 0, NOW))
        .as("without the root in the chain")
        .doesNotThrowAnyException();
  }

  @Test
  void refusesAnotherNumber() {
    assertThatThrownBy(() -> ServerCheck.check(chain, List.of(fleet.root()), 7, NOW))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining("expected one for server 7");
  }

  @Test
  void refusesAnotherFleet(@TempDir Path elsewhere) throws Exception {
    X509Certificate otherRoot = new TestFleet(elsewhere).root();

    assertThatThrownBy(() -> ServerCheck.check(chain, List.of(otherRoot), 0, NOW))
        .isInstanceOf(CertificateException.class)
        .hasMessageContaining("not of this fleet");
  }

  @Test
  void judgesValidityByTheTimeItIsGiven() {
    for (Instant at : List.of(NOW.minus(366, ChronoUnit.DAYS), NOW.plus(366, ChronoUnit.DAYS))) {
      assertThatThrownBy(() -> ServerCheck.check(chain, List.of(fleet.root()), 0, at))
          .isInstanceOf(CertificateException.class)
          .hasMessageContaining("not valid at " + at);
    }
  }

  @Test
  void refusesADevicesCertificate() throws Exception {
    List<X509Certificate> device =
        fleet.server("san=uri:urn:beckon:server:0/1", "eku=clientAuth").chain();

    assertThatThrownBy(() -> ServerCheck.check(device, List.of(fleet.root()), 0, NOW))
        .hasMessageContaining("not meant for a server");
  }

  @Test
  void refusesACertificateWithoutANumber() throws Exception {
    List<X509Certificate> nameless = fleet.server("eku=serverAuth").chain();
    List<X509Certificate> named = fleet.server("san=dns:beckon.example", "eku=serverAuth").chain();

    assertThatThrownBy(() -> ServerCheck.check(nameless, List.of(fleet.root()), 0, NOW))
        .isInstanceOf(CertificateException.class);
    assertThatThrownBy(() -> ServerCheck.check(named, List.of(fleet.root()), 0, NOW))
        .isInstanceOf(CertificateException.class);
  }

  @Test
  void refusesTheRootItselfAndNothingAtAll() {
    assertThatThrownBy(
            () -> ServerCheck.check(List.of(fleet.root()), List.of(fleet.root()), 0, NOW))
        .isInstanceOf(CertificateException.class);
    assertThatThrownBy(() -> ServerCheck.check(List.of(), List.of(fleet.root()), 0, NOW))
        .isInstanceOf(CertificateException.class);
  }
}
