package dev.beckon.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What a certificate's second check may leave out, and what it must not. */
class KnownPathsTest {

  private static final FleetPki FLEET = new FleetPki();
  private static final FleetPki NEWER = new FleetPki();
  private static final X509Certificate KITCHEN = FLEET.device("kitchen", 1).certificate();
  private static final X509Certificate CELLAR = FLEET.device("cellar", 1).certificate();
  private static final X509Certificate ATTIC = FLEET.device("attic", 1).certificate();

  private final AtomicReference<List<X509Certificate>> roots =
      new AtomicReference<>(List.of(FLEET.root()));
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
  private final DeviceCertificates certificates = new DeviceCertificates(roots::get, now::get);

  @Test
  void aCertificateIsTrustedEachTimeItIsShown() {
    assertTrusted(KITCHEN);
    assertTrusted(KITCHEN);
  }

  @Test
  void aKnownCertificateIsRefusedOnceItsRootIsGone() {
    assertTrusted(KITCHEN);

    roots.set(List.of(NEWER.root(), FLEET.root()));
    assertTrusted(KITCHEN);
    roots.set(List.of(NEWER.root()));

    assertRefused(KITCHEN);
    assertTrusted(NEWER.device("kitchen", 1).certificate());
    assertRefused(KITCHEN);
  }

  @Test
  void aKnownCertificateIsRefusedOnceItHasExpired() {
    assertTrusted(KITCHEN);

    now.set(KITCHEN.getNotAfter().toInstant().plus(Duration.ofSeconds(1)));

    assertRefused(KITCHEN);
  }

  @Test
  void aCertificateThatWasRefusedIsRefusedAgain() {
    X509Certificate stranger = NEWER.device("kitchen", 1).certificate();

    assertRefused(stranger);
    assertTrusted(KITCHEN);
    assertRefused(stranger);
  }

  @Test
  void aKnownCertificateDoesNotVouchForWhatIsSentAlong() {
    assertTrusted(KITCHEN);

    assertThatThrownBy(
            () -> certificates.checkClientTrusted(new X509Certificate[] {KITCHEN, CELLAR}, "EC"))
        .isInstanceOf(CertificateException.class);
  }

  @Test
  void theCertificateShownLongestAgoGivesWay() throws Exception {
    KnownPaths paths = new KnownPaths(2);
    paths.add(KITCHEN, roots.get());
    paths.add(CELLAR, roots.get());
    assertThat(paths.holds(KITCHEN, roots.get())).isTrue();

    paths.add(ATTIC, roots.get());

    assertThat(paths.holds(KITCHEN, roots.get())).isTrue();
    assertThat(paths.holds(ATTIC, roots.get())).isTrue();
    assertThat(paths.holds(CELLAR, roots.get())).isFalse();
  }

  @Test
  void aCheckAgainstRootsOfYesterdayCountsForThoseOnly() throws Exception {
    KnownPaths paths = new KnownPaths(2);
    paths.add(CELLAR, List.of(NEWER.root()));

    paths.add(KITCHEN, List.of(FLEET.root()));

    assertThat(paths.holds(KITCHEN, List.of(NEWER.root()))).isFalse();
    assertThat(paths.holds(CELLAR, List.of(FLEET.root()))).isFalse();
  }

  private void assertTrusted(X509Certificate leaf) {
    assertThatCode(() -> certificates.checkClientTrusted(new X509Certificate[] {leaf}, "EC"))
        .doesNotThrowAnyException();
  }

  private void assertRefused(X509Certificate leaf) {
    assertThatThrownBy(() -> certificates.checkClientTrusted(new X509Certificate[] {leaf}, "EC"))
        .isInstanceOf(CertificateException.class);
  }
}
