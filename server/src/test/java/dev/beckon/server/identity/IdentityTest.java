package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IdentityTest {

  private static final Instant START = Instant.parse("2026-05-04T03:02:01.500Z");
  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Advertised HERE = new Advertised("2001:db8::1", 3478, 5349);

  @TempDir private Path temp;
  private final AtomicReference<Instant> now = new AtomicReference<>(START);
  private final List<String> raised = Collections.synchronizedList(new ArrayList<>());
  private Database database;
  private Identity identity;

  @BeforeEach
  void open() {
    database = Database.open(temp);
    identity = Identity.open(database, now::get, () -> HERE);
    identity.denyList().onRaised((id, minimum) -> raised.add(id + "/" + minimum));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void reopen() {
    close();
    open();
  }

  private EnrollmentCode add() {
    return identity.devices().add(KITCHEN, HOUR).join();
  }

  private Redemption redeem(EnrollmentCode code, KeyPair keys) {
    return identity.enrollment().redeem(code.secret(), Requests.of(keys)).join();
  }

  private EnrollmentAnswer enroll(EnrollmentCode code, KeyPair keys) {
    return ((Redemption.Answered) redeem(code, keys)).answer();
  }

  private static String refusal(Redemption redemption) {
    return ((Redemption.Refused) redemption).refusal().getCode();
  }

  private Device kitchen() {
    return identity.devices().find(KITCHEN).orElseThrow();
  }

  @Test
  void invitesADeviceWithACode() {
    EnrollmentCode code = add();

    assertThat(code.host()).isEqualTo("2001:db8::1");
    assertThat(code.port()).isEqualTo(5349);
    assertThat(code.caFingerprint()).isEqualTo(identity.ca().fingerprint());
    assertThat(code.expiry())
        .as("whole seconds, rounded up")
        .isEqualTo(Instant.parse("2026-05-04T04:02:02Z"));
    assertThat(kitchen())
        .isEqualTo(new Device(KITCHEN, 0, Device.State.INVITED, START, null, null));
  }

  @Test
  void turnsACodeIntoAnIdentity() throws Exception {
    KeyPair keys = Requests.p256();
    now.set(START.plusSeconds(5));
    EnrollmentAnswer answer = enroll(add(), keys);

    assertThat(answer.getDeviceId()).isEqualTo("kitchen");
    assertThat(answer.getGeneration()).isEqualTo(1);
    assertThat(answer.getKeyId()).isEqualTo(1);
    assertThat(answer.getDeviceKey().toByteArray())
        .isEqualTo(DeviceKey.derive(identity.masterKeys().newest().key(), KITCHEN, 1));
    assertThat(answer.getUdpAddress()).isEqualTo("[2001:db8::1]:3478");
    assertThat(answer.getTlsAddress()).isEqualTo("[2001:db8::1]:5349");
    assertThat(answer.getServerTimeMillis()).isEqualTo(START.plusSeconds(5).toEpochMilli());
    assertThat(answer.getCaRootsList())
        .containsExactly(ByteString.copyFrom(identity.ca().root().getEncoded()));
    X509Certificate certificate =
        Certificates.certificate(answer.getCertificateChain(0).toByteArray());
    certificate.verify(identity.ca().root().getPublicKey());
    assertThat(certificate.getPublicKey()).isEqualTo(keys.getPublic());
    assertThat(certificate.getSubjectAlternativeNames())
        .containsExactly(List.of(6, "urn:beckon:device:kitchen/1"));
    assertThat(kitchen())
        .isEqualTo(
            new Device(
                KITCHEN,
                1,
                Device.State.ENROLLED,
                START.plusSeconds(5),
                START.plusSeconds(5),
                null));
    assertThat(raised).as("nothing to shut out").isEmpty();
  }

  @Test
  void givesTheSameKeyTheSameAnswerUntilTheCodeExpires() {
    KeyPair keys = Requests.p256();
    EnrollmentCode code = add();
    EnrollmentAnswer first = enroll(code, keys);
    reopen();

    assertThat(enroll(code, keys)).isEqualTo(first);
    now.set(code.expiry());
    assertThat(refusal(redeem(code, keys))).isEqualTo("enrollment-code-expired");
  }

  @Test
  void refusesAUsedCodeToAnotherKey() {
    EnrollmentCode code = add();
    enroll(code, Requests.p256());

    Redemption.Refused refused = (Redemption.Refused) redeem(code, Requests.p256());

    assertThat(refused.refusal().getCode()).isEqualTo("enrollment-code-used");
    assertThat(refused.refusal().getText())
        .isEqualTo("enrollment code: used before (make a new code with \"beckon device add\")");
    assertThat(kitchen().generation()).isEqualTo(1);
  }

  @Test
  void letsOneOfManyKeysAtOnceUseACode() {
    EnrollmentCode code = add();
    List<CompletableFuture<Redemption>> attempts = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      attempts.add(identity.enrollment().redeem(code.secret(), Requests.of(Requests.p256())));
    }

    assertThat(attempts)
        .filteredOn(attempt -> attempt.join() instanceof Redemption.Answered)
        .hasSize(1);
    assertThat(attempts)
        .filteredOn(attempt -> attempt.join() instanceof Redemption.Refused)
        .allMatch(attempt -> refusal(attempt.join()).equals("enrollment-code-used"));
    assertThat(kitchen().generation()).isEqualTo(1);
  }

  @Test
  void givesTheSameAnswerToTheSameKeyAtOnce() {
    EnrollmentCode code = add();
    byte[] request = Requests.of(Requests.p256());
    List<CompletableFuture<Redemption>> attempts = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      attempts.add(identity.enrollment().redeem(code.secret(), request));
    }

    assertThat(attempts.stream().map(CompletableFuture::join).distinct()).hasSize(1);
    assertThat(kitchen().generation()).isEqualTo(1);
  }

  @Test
  void refusesAnExpiredCode() {
    EnrollmentCode code = add();
    now.set(code.expiry());

    Redemption.Refused refused = (Redemption.Refused) redeem(code, Requests.p256());

    assertThat(refused.refusal().getCode()).isEqualTo("enrollment-code-expired");
    assertThat(refused.refusal().getText())
        .isEqualTo(
            "enrollment code: expired at 2026-05-04T04:02:02Z (make a new code with"
                + " \"beckon device add\")");
    assertThat(kitchen().state()).isEqualTo(Device.State.INVITED);
  }

  @Test
  void refusesACodeThatItDidNotMake() {
    for (byte[] secret : List.of(new byte[16], new byte[0], new byte[1000])) {
      assertThat(refusal(identity.enrollment().redeem(secret, Requests.of(Requests.p256())).join()))
          .isEqualTo("enrollment-code-unknown");
    }
  }

  @Test
  void refusesACodeThatANewerOneReplaced() {
    EnrollmentCode first = add();
    EnrollmentCode second = add();

    assertThat(refusal(redeem(first, Requests.p256()))).isEqualTo("enrollment-code-unknown");
    assertThat(enroll(second, Requests.p256()).getGeneration()).isEqualTo(1);
  }

  @Test
  void leavesTheCodeUsableAfterABadRequest() {
    EnrollmentCode code = add();
    Redemption.Refused refused =
        (Redemption.Refused) identity.enrollment().redeem(code.secret(), new byte[9]).join();

    assertThat(refused.refusal().getCode()).isEqualTo("certificate-request-invalid");
    assertThat(refused.refusal().getText()).contains("the code was not used up");
    assertThat(enroll(code, Requests.p256()).getGeneration()).isEqualTo(1);
  }

  @Test
  void shutsTheOldGenerationOutWhenTheNewCodeIsUsed() {
    KeyPair oldKeys = Requests.p256();
    EnrollmentCode oldCode = add();
    enroll(oldCode, oldKeys);
    EnrollmentCode newCode = add();
    assertThat(identity.denyList().denies("kitchen", 1)).as("not used yet").isFalse();

    assertThat(enroll(newCode, Requests.p256()).getGeneration()).isEqualTo(2);

    assertThat(raised).containsExactly("kitchen/2");
    assertThat(identity.denyList().denies("kitchen", 1)).isTrue();
    assertThat(identity.denyList().denies("kitchen", 2)).isFalse();
    assertThat(refusal(redeem(oldCode, oldKeys))).isEqualTo("enrollment-code-used");
    reopen();
    assertThat(identity.denyList().denies("kitchen", 1)).isTrue();
    assertThat(identity.denyList().denies("kitchen", 2)).isFalse();
  }

  @Test
  void shutsARevokedDeviceOutWithItsCodes() {
    KeyPair keys = Requests.p256();
    EnrollmentCode used = add();
    enroll(used, keys);
    EnrollmentCode unused = add();

    assertThat(identity.devices().revoke(KITCHEN).join()).isTrue();

    assertThat(raised).containsExactly("kitchen/2");
    assertThat(kitchen().state()).isEqualTo(Device.State.REVOKED);
    assertThat(refusal(redeem(used, keys))).isEqualTo("enrollment-code-unknown");
    assertThat(refusal(redeem(unused, keys))).isEqualTo("enrollment-code-unknown");
    reopen();
    assertThat(identity.denyList().denies("kitchen", 1)).isTrue();
  }

  @Test
  void letsARevokedDeviceBackInWithANewCode() {
    enroll(add(), Requests.p256());
    identity.devices().revoke(KITCHEN).join();
    EnrollmentCode code = add();
    assertThat(kitchen().state()).as("until it is used").isEqualTo(Device.State.REVOKED);

    EnrollmentAnswer answer = enroll(code, Requests.p256());

    assertThat(kitchen().state()).isEqualTo(Device.State.ENROLLED);
    assertThat(identity.denyList().denies("kitchen", answer.getGeneration())).isFalse();
    assertThat(identity.denyList().denies("kitchen", answer.getGeneration() - 1)).isTrue();
  }

  @Test
  void revokesNothingUnknown() {
    assertThat(identity.devices().revoke(KITCHEN).join()).isFalse();
    assertThat(raised).isEmpty();
  }

  @Test
  void neverLetsAGenerationBackIn() {
    identity.denyList().raise(KITCHEN, 5).join();
    identity.denyList().raise(KITCHEN, 3).join();

    assertThat(identity.denyList().denies("kitchen", 4)).isTrue();
    assertThat(identity.denyList().denies("kitchen", 5)).isFalse();
    assertThat(identity.denyList().denies("cellar", 0)).isFalse();
    reopen();
    assertThat(identity.denyList().denies("kitchen", 4)).isTrue();
  }

  @Test
  void refusesAValidityOutOfRange() {
    for (Duration validity : List.of(Duration.ZERO, Duration.ofDays(31))) {
      assertThatThrownBy(() -> identity.devices().add(KITCHEN, validity))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("valid: " + validity + " (expected 1s to 30d)");
    }
  }

  @Test
  void listsDevicesById() {
    for (String id : List.of("c", "a", "b")) {
      identity.devices().add(new DeviceId(id), HOUR).join();
    }

    assertThat(identity.devices().list(null, 2))
        .extracting(device -> device.id().value())
        .containsExactly("a", "b");
    assertThat(identity.devices().list("b", 2))
        .extracting(device -> device.id().value())
        .containsExactly("c");
  }

  @Test
  void remembersWhatADeviceDeclaredUntilItEnrollsAgain() {
    Actions actions = Actions.newBuilder().addActions(Action.newBuilder().setName("echo")).build();
    enroll(add(), Requests.p256());
    assertThat(identity.devices().actionsHash(KITCHEN)).isNull();
    identity.devices().declareActions(KITCHEN, actions, new byte[] {1, 2}).join();
    reopen();

    assertThat(kitchen().actions()).isEqualTo(actions);
    assertThat(identity.devices().actionsHash(KITCHEN)).containsExactly(1, 2);
    enroll(add(), Requests.p256());
    assertThat(kitchen().actions()).isNull();
    assertThat(identity.devices().actionsHash(KITCHEN)).isNull();
  }

  @Test
  void storesNoSecretInTheOpen() throws IOException {
    EnrollmentCode code = add();
    EnrollmentAnswer answer = enroll(code, Requests.p256());
    EnrollmentCode unused = add();
    close();

    try (Stream<Path> files = Files.walk(temp)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String content = HexFormat.of().formatHex(Files.readAllBytes(file));
        assertThat(content)
            .as(file.toString())
            .doesNotContain(HexFormat.of().formatHex(code.secret()))
            .doesNotContain(HexFormat.of().formatHex(unused.secret()))
            .doesNotContain(HexFormat.of().formatHex(answer.getDeviceKey().toByteArray()));
      }
    }
    open();
  }

  @Test
  void refusesToStartWithoutTheKeysOfItsDevices() throws IOException {
    for (String name : List.of("fleet-ca.pem", "master.keys")) {
      close();
      Path file = temp.resolve(name);
      Path away = temp.resolve("away");
      Files.move(file, away);

      assertThatThrownBy(this::open)
          .isInstanceOf(StoreException.class)
          .hasMessageStartingWith(file + ": missing (");
      assertThat(file).doesNotExist();
      database.close();
      Files.move(away, file);
      open();
    }
  }

  @Test
  void refusesToStartWithTheKeysOfAnotherFleet(@TempDir Path other) throws IOException {
    try (Database fresh = Database.open(other)) {
      Identity.open(fresh, now::get, () -> HERE);
    }
    for (String name : List.of("fleet-ca.pem", "master.keys")) {
      close();
      Path file = temp.resolve(name);
      byte[] ours = Files.readAllBytes(file);
      Files.copy(other.resolve(name), file, StandardCopyOption.REPLACE_EXISTING);

      assertThatThrownBy(this::open)
          .isInstanceOf(StoreException.class)
          .hasMessageStartingWith(file + ": not the one that belongs to this database");
      database.close();
      Files.write(file, ours);
      open();
    }
  }
}
