package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.server.identity.KeyChangeException.Reason;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rotation of master keys, roll-over of the CA, and the renewals that move devices along. */
final class FleetKeysTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final DeviceId CELLAR = new DeviceId("cellar");

  private static final FleetKeys.Dependents NOBODY = new FleetKeys.Dependents(0, 0);

  @TempDir private Path temp;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-05-04T03:02:01Z"));
  private Database database;
  private Identity identity;

  @BeforeEach
  void open() {
    database = Database.open(temp);
    identity = Identity.open(database, now::get, () -> new Advertised("192.0.2.1", 3478, 5349));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void reopen() {
    close();
    open();
  }

  private EnrollmentAnswer enroll(DeviceId id, KeyPair keys) {
    EnrollmentCode code = identity.devices().add(id, Duration.ofHours(1)).join();
    return ((Redemption.Answered)
            identity.enrollment().redeem(code.secret(), Requests.of(keys)).join())
        .answer();
  }

  private static X509Certificate certificate(ByteString der) {
    try {
      return Certificates.certificate(der.toByteArray());
    } catch (Exception broken) {
      throw new AssertionError(broken);
    }
  }

  private Renewal renew(DeviceId id) {
    return renew(
        id, identity.ca().issueDevice(Requests.p256().getPublic(), id, 1), Requests.p256());
  }

  private Renewal renew(DeviceId id, X509Certificate shown, KeyPair keys) {
    return identity.renewals().renew(id, 1, shown, Requests.of(keys)).join();
  }

  /** The device is in a session and holds what it was given. */
  private boolean hello(DeviceId id, int keyId, List<ByteString> roots, ByteString chain) {
    return identity.renewals().note(id, keyId, rootsHash(roots), certificate(chain));
  }

  private static byte[] rootsHash(List<ByteString> roots) {
    ByteString sorted =
        roots.stream()
            .map(der -> ByteString.copyFrom(FleetCa.sha256(der.toByteArray())))
            .sorted(ByteString.unsignedLexicographicalComparator())
            .reduce(ByteString.EMPTY, ByteString::concat);
    return FleetCa.sha256(sorted.toByteArray());
  }

  private boolean hello(DeviceId id, EnrollmentAnswer given) {
    return hello(id, given.getKeyId(), given.getCaRootsList(), given.getCertificateChain(0));
  }

  private boolean hello(DeviceId id, Renewal given) {
    return hello(id, given.getKeyId(), given.getCaRootsList(), given.getCertificateChain(0));
  }

  private static void assertRefused(
      Reason reason, org.assertj.core.api.ThrowableAssert.ThrowingCallable change) {
    assertThatThrownBy(change)
        .isInstanceOfSatisfying(
            KeyChangeException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  // ---- master keys

  @Test
  void hasTwoMasterKeysBetweenRotationAndRetirement() throws Exception {
    byte[] first = identity.masterKeys().key(1);

    assertThat(identity.fleetKeys().rotate().id()).isEqualTo(2);

    assertThat(identity.masterKeys().key(1)).isEqualTo(first);
    assertThat(identity.masterKeys().key(2)).hasSize(32).isNotEqualTo(first);
    assertRefused(Reason.CHANGE_UNFINISHED, () -> identity.fleetKeys().rotate());
    byte[] second = identity.masterKeys().key(2);
    reopen();
    assertThat(identity.masterKeys().key(2)).as("kept").isEqualTo(second);
    identity.fleetKeys().retire(1, false);
    assertThat(identity.masterKeys().key(1)).isNull();
    reopen();
    assertThat(identity.masterKeys().key(1)).isNull();
    assertThat(identity.masterKeys().newest().id()).isEqualTo(2);
  }

  @Test
  void keepsTheServersOwnKeysThroughARotation() throws Exception {
    byte[] table = identity.masterKeys().tableKey();
    byte[] path = identity.masterKeys().pathTokenKey();

    identity.fleetKeys().rotate();
    identity.fleetKeys().retire(1, false);
    reopen();

    assertThat(identity.masterKeys().tableKey()).isEqualTo(table);
    assertThat(identity.masterKeys().pathTokenKey()).isEqualTo(path);
  }

  @Test
  void retiresNoKeyThatDevicesUseUnlessForced() throws Exception {
    enroll(KITCHEN, Requests.p256());
    identity.fleetKeys().rotate();

    assertRefused(Reason.KEY_IN_USE, () -> identity.fleetKeys().retire(1, false));
    assertThat(identity.masterKeys().key(1)).as("still live").isNotNull();
    assertThat(identity.fleetKeys().masterKeys())
        .containsExactly(new FleetKeys.MasterKey(1, false, 1), new FleetKeys.MasterKey(2, true, 0));
    assertThat(identity.fleetKeys().retire(1, true)).isEqualTo(1);
    assertThat(identity.masterKeys().key(1)).isNull();
  }

  @Test
  void retiresNeitherTheNewestKeyNorOneThatIsNone() {
    assertRefused(Reason.KEY_NEWEST, () -> identity.fleetKeys().retire(1, true));
    assertRefused(Reason.KEY_UNKNOWN, () -> identity.fleetKeys().retire(2, true));
  }

  @Test
  void movesADeviceToTheNewKeyByRenewal() throws Exception {
    EnrollmentAnswer enrolled = enroll(KITCHEN, Requests.p256());
    assertThat(hello(KITCHEN, enrolled)).as("renewal wanted").isFalse();
    identity.fleetKeys().rotate();
    assertThat(hello(KITCHEN, enrolled)).as("renewal wanted").isTrue();

    Renewal renewal = renew(KITCHEN);

    assertThat(renewal.getRefusal()).isEmpty();
    assertThat(renewal.getGeneration()).isEqualTo(1);
    assertThat(renewal.getKeyId()).isEqualTo(2);
    assertThat(renewal.getDeviceKey().toByteArray())
        .isEqualTo(DeviceKey.derive(identity.masterKeys().newest().key(), KITCHEN, 1));
    assertRefused(Reason.KEY_IN_USE, () -> identity.fleetKeys().retire(1, false));
    assertThat(hello(KITCHEN, renewal)).as("renewal wanted").isFalse();
    until(() -> identity.fleetKeys().masterKeys().getLast().devices() == 1);
    identity.fleetKeys().retire(1, false);
  }

  @Test
  void countsOnlyEnrolledDevices() throws Exception {
    enroll(KITCHEN, Requests.p256());
    identity.devices().add(CELLAR, Duration.ofHours(1)).join();
    identity.fleetKeys().rotate();

    identity.devices().revoke(KITCHEN).join();

    assertThat(identity.fleetKeys().masterKeys().getFirst().devices()).isZero();
  }

  @Test
  void givesAReEnrolledDeviceTheNewKeyAndCountsItThere() throws Exception {
    enroll(KITCHEN, Requests.p256());
    identity.fleetKeys().rotate();

    assertThat(enroll(KITCHEN, Requests.p256()).getKeyId()).isEqualTo(2);

    identity.fleetKeys().retire(1, false);
  }

  @Test
  void refusesKeysFromBeforeARotationBesideTheDatabaseFromAfterIt() throws Exception {
    byte[] before = Files.readAllBytes(temp.resolve(MasterKeys.FILE));
    identity.fleetKeys().rotate();
    close();
    Files.write(temp.resolve(MasterKeys.FILE), before);
    database = Database.open(temp);

    assertThatThrownBy(() -> Identity.open(database, now::get, () -> new Advertised("x", 1, 1)))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("older than this database, which knows key 2");
  }

  @Test
  void leavesDevicesOfAnEarlierVersionAlone() throws Exception {
    EnrollmentAnswer enrolled = enroll(KITCHEN, Requests.p256());
    identity.fleetKeys().rotate();

    assertThat(hello(KITCHEN, 0, List.of(), enrolled.getCertificateChain(0))).isFalse();
    assertThat(identity.fleetKeys().masterKeys().getFirst().devices()).isEqualTo(1);
  }

  // ---- renewal

  @Test
  void renewsNobodyWhoIsShutOut() {
    enroll(KITCHEN, Requests.p256());
    identity.devices().revoke(KITCHEN).join();

    assertThat(renew(KITCHEN).getRefusal()).isEqualTo("device-revoked");
    assertThat(renew(KITCHEN).getCertificateChainList()).isEmpty();
    assertThat(renew(KITCHEN).getDeviceKey()).isEqualTo(ByteString.EMPTY);
    assertThat(renew(CELLAR).getRefusal()).as("unknown").isEqualTo("device-revoked");
  }

  @Test
  void renewsNoFormerGeneration() {
    enroll(KITCHEN, Requests.p256());
    enroll(KITCHEN, Requests.p256());

    assertThat(renew(KITCHEN).getRefusal()).isEqualTo("device-revoked");
  }

  @Test
  void renewsForNoKeyOfAnotherKind() {
    enroll(KITCHEN, Requests.p256());

    X509Certificate shown = identity.ca().issueDevice(Requests.p256().getPublic(), KITCHEN, 1);
    assertThat(renew(KITCHEN, shown, Requests.ec("secp384r1")).getRefusal())
        .isEqualTo("certificate-request-invalid");
  }

  /** Whoever has the dropped root's key could else have it turned into an identity of today. */
  @Test
  void renewsNobodyWhoseCertificateIsOfADroppedRoot() throws Exception {
    X509Certificate shown = certificate(enroll(KITCHEN, Requests.p256()).getCertificateChain(0));
    identity.fleetKeys().roll();
    assertThat(renew(KITCHEN, shown, Requests.p256()).getRefusal()).isEmpty();

    identity.fleetKeys().finish(true);

    Renewal refused = renew(KITCHEN, shown, Requests.p256());
    assertThat(refused.getRefusal()).isEqualTo("root-dropped");
    assertThat(refused.getCertificateChainList()).isEmpty();
    assertThat(refused.getDeviceKey()).isEqualTo(ByteString.EMPTY);
  }

  // ---- CA roots

  @Test
  void trustsBothRootsFromRollToFinishAndSignsWithTheNewer() throws Exception {
    X509Certificate first = identity.ca().root();
    AtomicInteger told = new AtomicInteger();
    identity.fleetKeys().onRootsChanged(told::incrementAndGet);

    identity.fleetKeys().roll();

    X509Certificate second = identity.ca().root();
    assertThat(second).isNotEqualTo(first);
    assertThat(identity.ca().roots()).containsExactly(second, first);
    assertRefused(Reason.CHANGE_UNFINISHED, () -> identity.fleetKeys().roll());
    EnrollmentAnswer answer = enroll(KITCHEN, Requests.p256());
    certificate(answer.getCertificateChain(0)).verify(second.getPublicKey());
    assertThat(answer.getCaRootsList()).hasSize(2);
    reopen();
    assertThat(identity.ca().roots()).as("kept").containsExactly(second, first);
    assertThat(identity.fleetKeys().finish(false)).isEqualTo(NOBODY);
    assertThat(identity.ca().roots()).containsExactly(second);
    reopen();
    assertThat(identity.ca().roots()).containsExactly(second);
    assertRefused(Reason.ROOT_SINGLE, () -> identity.fleetKeys().finish(true));
    assertThat(told).as("the listener of before").hasValue(1);
  }

  @Test
  void showsAChainThatLeadsToEitherRoot() throws Exception {
    X509Certificate first = identity.ca().root();
    ServerCredentials before = identity.ca().issueServer(Set.of(0));

    identity.fleetKeys().roll();
    ServerCredentials during = identity.ca().issueServer(Set.of(0));

    X509Certificate second = identity.ca().root();
    assertThat(during.chain().getFirst()).isNotEqualTo(before.chain().getFirst());
    assertThat(during.chain()).contains(first, second);
    assertLeads(during.chain(), first);
    assertLeads(during.chain(), second);
    identity.fleetKeys().finish(false);
    assertThat(identity.ca().issueServer(Set.of(0)).chain())
        .containsExactly(during.chain().getFirst(), second);
  }

  private void assertLeads(List<X509Certificate> chain, X509Certificate root) throws Exception {
    X509CertSelector leaf = new X509CertSelector();
    leaf.setCertificate(chain.getFirst());
    PKIXBuilderParameters parameters =
        new PKIXBuilderParameters(Set.of(new TrustAnchor(root, null)), leaf);
    parameters.setRevocationEnabled(false);
    parameters.setDate(Date.from(now.get()));
    parameters.addCertStore(
        CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
    CertPathBuilder.getInstance("PKIX").build(parameters);
  }

  @Test
  void movesADeviceToTheNewRootByRenewal() throws Exception {
    EnrollmentAnswer enrolled = enroll(KITCHEN, Requests.p256());
    identity.fleetKeys().roll();
    assertThat(hello(KITCHEN, enrolled)).as("renewal wanted").isTrue();
    assertRefused(Reason.ROOT_IN_USE, () -> identity.fleetKeys().finish(false));
    assertThat(identity.fleetKeys().roots())
        .extracting(FleetKeys.Root::devices)
        .containsExactly(1, 0);

    Renewal renewal = renew(KITCHEN);

    assertThat(renewal.getCaRootsList()).hasSize(2);
    certificate(renewal.getCertificateChain(0)).verify(identity.ca().root().getPublicKey());
    assertThat(hello(KITCHEN, renewal)).as("renewal wanted").isFalse();
    until(() -> identity.fleetKeys().roots().getLast().devices() == 1);
    assertThat(identity.fleetKeys().finish(false)).isEqualTo(NOBODY);
    assertThat(hello(KITCHEN, renewal)).as("it still trusts the older root").isTrue();
  }

  /** A repeated answer brings the certificate of before, but the roots of now. */
  @Test
  void doesNotTakeADeviceWithACertificateOfTheOlderRootForMoved() throws Exception {
    EnrollmentCode code = identity.devices().add(KITCHEN, Duration.ofHours(1)).join();
    byte[] request = Requests.of(Requests.p256());
    identity.enrollment().redeem(code.secret(), request).join();
    identity.fleetKeys().roll();

    EnrollmentAnswer repeated =
        ((Redemption.Answered) identity.enrollment().redeem(code.secret(), request).join())
            .answer();

    assertThat(repeated.getCaRootsList()).hasSize(2);
    assertThat(hello(KITCHEN, repeated)).as("renewal wanted").isTrue();
    assertRefused(Reason.ROOT_IN_USE, () -> identity.fleetKeys().finish(false));
  }

  @Test
  void dropsTheOlderRootIfForced() throws Exception {
    enroll(KITCHEN, Requests.p256());
    identity.fleetKeys().roll();

    assertThat(identity.fleetKeys().finish(true).devices()).isEqualTo(1);
  }

  @Test
  void hasACertificateOfTheNewerRootBeforeItDropsTheOlder() throws Exception {
    identity.ca().issueServer(Set.of(0, 65_535));
    identity.ca().roll(); // and no more: the disk took no certificate behind it

    identity.fleetKeys().finish(false);

    X509Certificate left = identity.ca().root();
    List<X509Certificate> shown = identity.ca().issueServer(Set.of(0, 65_535)).chain();
    assertThat(shown).hasSize(2).endsWith(left);
    shown.getFirst().verify(left.getPublicKey());
  }

  @Test
  void dropsNoRootWhileTheServersOwnCertificateCannotMoveToTheNewer() throws Exception {
    identity.ca().issueServer(Set.of(0));
    identity.ca().roll();
    Path inTheWay = Files.createDirectories(temp.resolve(".server.pem.new/full"));

    assertThatThrownBy(() -> identity.fleetKeys().finish(true))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("server.pem: cannot be written");

    assertThat(identity.ca().roots()).hasSize(2);
    Files.delete(inTheWay);
    identity.fleetKeys().finish(true);
    assertThat(identity.ca().roots()).hasSize(1);
  }

  @Test
  void tellsEveryListenerThatTheRootsChangedWhateverOneThrows() {
    AtomicInteger told = new AtomicInteger();
    identity
        .fleetKeys()
        .onRootsChanged(
            () -> {
              throw new StoreException("a full disk");
            });
    identity.fleetKeys().onRootsChanged(told::incrementAndGet);

    assertThatThrownBy(() -> identity.fleetKeys().roll()).hasMessage("a full disk");
    assertThatThrownBy(() -> identity.fleetKeys().finish(true)).hasMessage("a full disk");

    assertThat(told).hasValue(2);
    assertThat(identity.ca().roots()).hasSize(1);
  }

  @Test
  void opensAfterARollThatTheDatabaseMissedWasFinished() throws Exception {
    identity.ca().roll(); // and no more: the database could not be written

    identity.fleetKeys().finish(false);

    X509Certificate left = identity.ca().root();
    reopen();
    assertThat(identity.ca().roots()).containsExactly(left);
  }

  @Test
  void opensWhenThePowerWentBetweenTheNewRootAndTheDatabase() {
    identity.ca().roll();

    reopen();

    assertThat(identity.ca().roots()).hasSize(2);
    assertThat(identity.ca().fingerprint()).isEqualTo(FleetCa.fingerprint(identity.ca().root()));
  }

  @Test
  void refusesTheRootFromBeforeARollBesideTheDatabaseFromAfterIt() throws Exception {
    byte[] before = Files.readAllBytes(temp.resolve(FleetCa.FILE));
    identity.fleetKeys().roll();
    close();
    Files.write(temp.resolve(FleetCa.FILE), before);
    database = Database.open(temp);

    assertThatThrownBy(() -> Identity.open(database, now::get, () -> new Advertised("x", 1, 1)))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("not the one that belongs to this database");
  }

  private static void until(java.util.function.BooleanSupplier condition) {
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
