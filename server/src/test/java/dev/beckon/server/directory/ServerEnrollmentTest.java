package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.server.command.Commands;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.EnrollmentExchange;
import dev.beckon.server.identity.EnrollmentRefusedException;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.session.ServedDirectory;
import dev.beckon.server.session.ServerNumbers;
import dev.beckon.server.session.SessionConfig;
import dev.beckon.server.session.SessionListener;
import dev.beckon.server.session.SessionParts;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.Database;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers enrolling over real TLS. */
final class ServerEnrollmentTest {

  private static final Duration HOUR = Duration.ofHours(1);

  @TempDir private Path folder;

  private final AtomicReference<Instant> now =
      new AtomicReference<>(InstantSource.system().instant());
  private final InstantSource clock = now::get;
  private final List<String> told = Collections.synchronizedList(new ArrayList<>());
  private Database database;
  private Identity identity;
  private Commands commands;
  private ApplicationServers servers;
  private SessionServer sessions;
  private Advertised here;

  @BeforeEach
  void open() throws IOException {
    database = Database.open(folder);
    identity = Identity.open(database, clock, () -> here);
    commands = Commands.open(database, identity.devices()::find, clock);
    servers = new ApplicationServers(database, clock, identity.ca(), () -> here);
    servers.addListener(
        new ApplicationServers.Listener() {
          @Override
          public void onRemoved(int number) {
            told.add(number + " removed");
          }

          @Override
          public void onEnrolled(int number, int generation) {
            told.add(number + "/" + generation + " enrolled");
          }
        });
    sessions =
        new SessionServer(
            SessionConfig.defaults(),
            identity.ca().issueServer(Set.of(0)),
            identity.ca()::roots,
            ServerNumbers.delivering(0),
            new SessionParts(
                commands,
                identity.devices(),
                identity.denyList(),
                Optional.of(
                    identity
                        .enrollment()
                        .or(
                            new ServerEnrollment(
                                database, clock, identity.ca(), servers, () -> here))),
                Optional.of(identity.renewals()),
                new ServedDirectory() {},
                new SessionListener() {},
                Optional.empty(),
                System::nanoTime,
                clock));
    InetSocketAddress address =
        sessions.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    here = new Advertised(address.getAddress().getHostAddress(), 3478, address.getPort());
  }

  @AfterEach
  void close() {
    sessions.close();
    commands.close();
    database.close();
  }

  private EnrollmentCode add(int number) {
    return servers.add(number, "printing", "print.example.org", HOUR).join();
  }

  private EnrollmentAnswer enroll(EnrollmentCode code, KeyPair keys) throws IOException {
    return EnrollmentExchange.redeem(code, keys, clock);
  }

  @Test
  void turnsACodeIntoAServersCertificate() throws Exception {
    KeyPair keys = EnrollmentExchange.newKey();

    EnrollmentAnswer answer = enroll(add(7), keys);

    assertThat(answer.getServerNumber()).isEqualTo(7);
    assertThat(answer.getGeneration()).isEqualTo(1);
    assertThat(answer.getDeviceId()).isEmpty();
    assertThat(answer.getDeviceKey()).isEmpty();
    assertThat(answer.getTlsAddress()).isEqualTo(here.tlsAddress());
    assertThat(answer.getCaRoots(0).toByteArray()).isEqualTo(identity.ca().root().getEncoded());
    X509Certificate certificate =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(
                    new ByteArrayInputStream(answer.getCertificateChain(0).toByteArray()));
    certificate.verify(identity.ca().root().getPublicKey());
    assertThat(certificate.getPublicKey()).isEqualTo(keys.getPublic());
    assertThat(certificate.getSubjectAlternativeNames())
        .containsExactly(List.of(6, "urn:beckon:server:7/1"));
    assertThat(certificate.getExtendedKeyUsage())
        .as("a TLS server to devices, a TLS client to the rendezvous server")
        .containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
    assertThat(servers.find(7).orElseThrow().state()).isEqualTo(ApplicationServer.State.ENROLLED);
    assertThat(servers.admits(7, 1)).isTrue();
    assertThat(told).containsExactly("7/1 enrolled");
  }

  @Test
  void givesTheSameKeyTheSameAnswerAlsoAfterARestart() throws Exception {
    KeyPair keys = EnrollmentExchange.newKey();
    EnrollmentCode code = add(7);
    EnrollmentAnswer first = enroll(code, keys);

    assertThat(enroll(code, keys)).isEqualTo(first);
    close();
    open();
    assertThat(servers.admits(7, 1)).isTrue();
    EnrollmentCode moved =
        new EnrollmentCode(
            here.host(), here.tlsPort(), code.caFingerprint(), code.secret(), code.expiry());
    assertThat(enroll(moved, keys).getCertificateChain(0)).isEqualTo(first.getCertificateChain(0));
  }

  @Test
  void refusesAUsedCodeToAnotherKey() throws Exception {
    EnrollmentCode code = add(7);
    enroll(code, EnrollmentExchange.newKey());

    assertThatThrownBy(() -> enroll(code, EnrollmentExchange.newKey()))
        .isInstanceOfSatisfying(
            EnrollmentRefusedException.class,
            refused -> assertThat(refused.code()).isEqualTo("enrollment-code-used"))
        .hasMessageContaining("beckon app-server add");
  }

  @Test
  void countsTheGenerationUpWhenANewCodeIsUsed() throws Exception {
    enroll(add(7), EnrollmentExchange.newKey());
    EnrollmentCode second = add(7);
    assertThat(servers.admits(7, 1)).as("until the new code is used").isTrue();

    EnrollmentAnswer answer = enroll(second, EnrollmentExchange.newKey());

    assertThat(answer.getGeneration()).isEqualTo(2);
    assertThat(servers.admits(7, 1)).isFalse();
    assertThat(servers.admits(7, 2)).isTrue();
    assertThat(told).containsExactly("7/1 enrolled", "7/2 enrolled");
  }

  @Test
  void shutsARemovedServerOutForGood() throws Exception {
    enroll(add(7), EnrollmentExchange.newKey());
    EnrollmentCode unused = add(7);

    assertThat(servers.remove(7).join()).isTrue();

    assertThat(servers.find(7)).isEmpty();
    assertThat(servers.list()).isEmpty();
    assertThat(servers.admits(7, 1)).isFalse();
    assertThat(servers.remove(7).join()).isFalse();
    assertThatThrownBy(() -> enroll(unused, EnrollmentExchange.newKey()))
        .isInstanceOf(EnrollmentRefusedException.class);

    EnrollmentAnswer again = enroll(add(7), EnrollmentExchange.newKey());
    assertThat(again.getGeneration()).as("the removed one's stays shut out").isEqualTo(2);
    assertThat(servers.admits(7, 1)).isFalse();
    assertThat(told).containsExactly("7/1 enrolled", "7 removed", "7/2 enrolled");
  }

  @Test
  void refusesAnExpiredCode() {
    EnrollmentCode code = add(7);
    now.set(code.expiry());

    assertThatThrownBy(() -> enroll(code, EnrollmentExchange.newKey()))
        .hasMessageContaining("expired at " + code.expiry());
    assertThat(servers.find(7).orElseThrow().state()).isEqualTo(ApplicationServer.State.INVITED);
  }

  @Test
  void tellsAServerThatItsCodeIsADevices() {
    EnrollmentCode code = identity.devices().add(new DeviceId("kitchen"), HOUR).join();

    assertThatThrownBy(() -> enroll(code, EnrollmentExchange.newKey()))
        .hasMessageContaining("a device's, kitchen (expected a server's");
  }

  @Test
  void trustsNoServerOfAnotherFleet() {
    EnrollmentCode code = add(7);
    EnrollmentCode elsewhere =
        new EnrollmentCode(code.host(), code.port(), new byte[32], code.secret(), code.expiry());

    assertThatThrownBy(() -> enroll(elsewhere, EnrollmentExchange.newKey()))
        .hasMessageContaining("of another fleet");
  }

  @Test
  void takesACodeOfBeforeARollOverUntilThatIsFinished() throws Exception {
    EnrollmentCode seven = add(7);
    EnrollmentCode eight = add(8);

    identity.fleetKeys().roll();
    sessions.use(identity.ca().issueServer(Set.of(0)));

    assertThat(enroll(seven, EnrollmentExchange.newKey()).getCaRootsList()).hasSize(2);
    identity.fleetKeys().finish(true);
    sessions.use(identity.ca().issueServer(Set.of(0)));
    assertThatThrownBy(() -> enroll(eight, EnrollmentExchange.newKey()))
        .hasMessageContaining("of another fleet");
  }

  @Test
  void namesWhatANumberANameAndAnAddressMustBe() {
    assertThatThrownBy(() -> servers.add(0, "x", "host", HOUR))
        .hasMessage("number: 0 (expected 1 to 65534, or 65535 for a directory server of its own)");
    assertThatThrownBy(() -> servers.add(65_536, "x", "host", HOUR)).hasMessageContaining("65536");
    assertThatThrownBy(() -> servers.add(1, " ", "host", HOUR))
        .hasMessage("name: not printable (expected 1 to 100 printable characters)");
    assertThatThrownBy(() -> servers.add(1, "x", "host:0", HOUR))
        .hasMessageStartingWith("address: host:0 (expected ");
    assertThatThrownBy(() -> servers.add(1, "x", "host", Duration.ofDays(31)))
        .hasMessageContaining("valid");
  }

  @Test
  void changesNameAndAddressOfAKnownServerOnly() {
    add(7);

    assertThat(servers.set(7, "scanning", "10.0.0.7:6000").join().orElseThrow().address())
        .isEqualTo("10.0.0.7:6000");
    assertThat(servers.set(8, "scanning", "10.0.0.7:6000").join()).isEmpty();
    assertThat(servers.list()).extracting(ApplicationServer::name).containsExactly("scanning");
  }
}
