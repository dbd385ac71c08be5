package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chains of before, during and after a roll-over, against roots of before, during and after. */
final class PathToRootTest {

  @TempDir private Path folder;
  @TempDir private Path elsewhere;

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-05-04T03:02:01Z"));
  private X509Certificate older;
  private X509Certificate newer;
  private List<X509Certificate> before;
  private List<X509Certificate> during;
  private List<X509Certificate> after;

  @BeforeEach
  void roll() {
    FleetCa ca = FleetCa.openOrCreate(folder, now::get);
    older = ca.root();
    before = shown(ca);
    ca.roll();
    newer = ca.root();
    during = shown(ca);
    ca.finish();
    after = shown(ca);
  }

  private static List<X509Certificate> shown(FleetCa ca) {
    return ca.issueServer(Set.of(0)).chain();
  }

  private void assertLeads(List<X509Certificate> chain, X509Certificate... roots) {
    assertThatCode(() -> PathToRoot.require(chain, List.of(roots), now.get()))
        .doesNotThrowAnyException();
  }

  private void assertLeadsNowhere(List<X509Certificate> chain, X509Certificate... roots) {
    assertThatThrownBy(() -> PathToRoot.require(chain, List.of(roots), now.get()))
        .isInstanceOf(GeneralSecurityException.class);
  }

  @Test
  void leadsToEitherRootWhileTheCaIsRolledOver() {
    assertLeads(before, older);
    assertLeads(before, newer, older);
    assertLeads(during, older);
    assertLeads(during, newer, older);
    assertLeads(during, newer);
    assertLeads(after, newer);
  }

  @Test
  void leadsNowhereOnceItsRootIsGone() {
    assertLeadsNowhere(before, newer);
    assertLeadsNowhere(after, older);
    assertLeadsNowhere(during);
  }

  @Test
  void trustsNoRootBecauseItWasShown() {
    X509Certificate stranger = FleetCa.openOrCreate(elsewhere, now::get).root();

    assertLeadsNowhere(before, stranger);
    assertLeadsNowhere(during, stranger);
  }

  @Test
  void leadsNowhereOutOfTheLeafsDates() {
    now.set(now.get().plus(Duration.ofDays(366)));

    assertLeadsNowhere(after, newer);
  }

  @Test
  void takesChainsOfBoundedLength() {
    List<X509Certificate> long9 = new ArrayList<>(during);
    while (long9.size() < 9) {
      long9.add(newer);
    }

    assertLeadsNowhere(long9, newer);
    assertLeadsNowhere(List.of(), newer);
  }
}
