package dev.beckon.device.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.beckon.device.TestFleet;
import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.protocol.directory.ServerAddress;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.SignedDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DirectoryCheckTest {
  private static final Instant NOW = Instant.now();

  private static TestFleet fleet;
  private static TestFleet.Credentials signer;

  @BeforeAll
  static void makeFleet() throws IOException, GeneralSecurityException {
    fleet = TestFleet.shared();
    signer = fleet.server("san=uri:urn:beckon:server:65535/1", "eku=serverAuth");
  }

  @Test
  void believesANewerListThatTheDirectoryServerSigned() throws Exception {
    Directory directory =
        check(TestDirectory.sign(signer, TestDirectory.list(3, Map.of(7, "[2001:db8::7]"))), 2);

    assertThat(directory.version()).isEqualTo(3);
    assertThat(directory.addressOf(7)).isEqualTo(new ServerAddress("2001:db8::7", 5349));
    assertThat(directory.addressOf(8)).isNull();
  }

  @Test
  void believesAServerThatIsRendezvousAndDirectoryServerInOne() throws Exception {
    TestFleet.Credentials both =
        fleet.server(
            "san=uri:urn:beckon:server:0/1,uri:urn:beckon:server:65535/1", "eku=serverAuth");

    assertThat(check(TestDirectory.sign(both, TestDirectory.list(1, Map.of())), 0).version())
        .isEqualTo(1);
  }

  @Test
  void readsAThousandEntries() throws Exception {
    Map<Integer, String> addresses = new TreeMap<>();
    for (int i = 1; i <= 1_000; i++) {
      addresses.put(i, "beckon://s" + i + ".example:" + (1_000 + i));
    }
    Directory directory = check(TestDirectory.sign(signer, TestDirectory.list(1, addresses)), 0);

    assertThat(directory.addresses()).hasSize(1_000);
    assertThat(directory.addressOf(1_000)).isEqualTo(new ServerAddress("s1000.example", 2_000));
  }

  @Test
  void refusesWhatItHasAndWhatIsOlder() throws Exception {
    byte[] signed = TestDirectory.sign(signer, TestDirectory.list(3, Map.of()));

    assertThat(refusal(signed, 3)).isEqualTo(DirectoryVerdict.SAME);
    assertThat(refusal(signed, 4)).isEqualTo(DirectoryVerdict.OLDER);
  }

  @Test
  void refusesAListThatAnotherServerOfTheFleetSigned() throws Exception {
    assertThat(refusal(TestDirectory.sign(fleet.server(), TestDirectory.list(1, Map.of())), 0))
        .isEqualTo(DirectoryVerdict.UNTRUSTED);
  }

  @Test
  void refusesAListThatADeviceSigned() throws Exception {
    KeyPair key = CertificateRequest.newKey();
    TestFleet.Credentials device =
        new TestFleet.Credentials(
            key.getPrivate(),
            List.of(fleet.device(CertificateRequest.create(key), "kitchen", 1), fleet.root()));

    assertThat(refusal(TestDirectory.sign(device, TestDirectory.list(1, Map.of())), 0))
        .isEqualTo(DirectoryVerdict.UNTRUSTED);
  }

  @Test
  void refusesAListOfAnotherFleet(@TempDir Path folder) throws Exception {
    TestFleet.Credentials other =
        new TestFleet(folder).server("san=uri:urn:beckon:server:65535/1", "eku=serverAuth");

    assertThat(refusal(TestDirectory.sign(other, TestDirectory.list(1, Map.of())), 0))
        .isEqualTo(DirectoryVerdict.UNTRUSTED);
  }

  @Test
  void refusesAListWhoseSignersCertificateIsNotValidNow() throws Exception {
    byte[] signed = TestDirectory.sign(signer, TestDirectory.list(1, Map.of()));
    Instant expired = NOW.plus(Duration.ofDays(1_000));

    DirectoryRefusedException refused =
        catchThrowableOfType(
            DirectoryRefusedException.class,
            () -> DirectoryCheck.check(signed, List.of(fleet.root()), 0, expired));
    assertThat(refused.verdict()).isEqualTo(DirectoryVerdict.UNTRUSTED);
    assertThat(DirectoryCheck.reread(signed).version())
        .as("but what it took before stays good")
        .isEqualTo(1);
  }

  @Test
  void refusesAListThatWasChangedAfterItWasSigned() throws Exception {
    SignedDirectory signed =
        SignedDirectory.parseFrom(
            TestDirectory.sign(signer, TestDirectory.list(1, Map.of(7, "192.0.2.7"))));
    ByteString list = TestDirectory.list(9, Map.of(7, "192.0.2.9")).toByteString();

    assertThat(refusal(signed.toBuilder().setList(list).build().toByteArray(), 0))
        .isEqualTo(DirectoryVerdict.FORGED);
    assertThat(refusal(signed.toBuilder().setSignature(ByteString.EMPTY).build().toByteArray(), 0))
        .isEqualTo(DirectoryVerdict.FORGED);
  }

  @Test
  void refusesAnySingleBitThatChanged() throws Exception {
    byte[] signed = TestDirectory.sign(signer, TestDirectory.list(1, Map.of(7, "192.0.2.7")));
    byte[] list = SignedDirectory.parseFrom(signed).getList().toByteArray();
    for (int bit = 0; bit < list.length * 8; bit++) {
      byte[] changed = list.clone();
      changed[bit / 8] ^= (byte) (1 << bit % 8);
      byte[] forged =
          SignedDirectory.parseFrom(signed).toBuilder()
              .setList(ByteString.copyFrom(changed))
              .build()
              .toByteArray();
      assertThat(refusal(forged, 0)).as("bit %d", bit).isEqualTo(DirectoryVerdict.FORGED);
    }
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0     | 192.0.2.1       | number 0 is the enrollment's
          65536 | 192.0.2.1       | numbers have 16 bits
          7     | ftp://192.0.2.1 | no scheme of ours
          7     | 2001:db8::1     | IPv6 without brackets
          7     | ''              | no address
          """)
  void refusesAListWithAMalformedEntry(int number, String address, String reason) throws Exception {
    DirectoryList list =
        DirectoryList.newBuilder()
            .setVersion(1)
            .addEntries(DirectoryEntry.newBuilder().setNumber(number).setAddress(address))
            .build();

    assertThat(refusal(TestDirectory.sign(signer, list), 0))
        .as(reason)
        .isEqualTo(DirectoryVerdict.MALFORMED);
  }

  @Test
  void refusesAListThatNamesANumberTwice() throws Exception {
    DirectoryEntry entry = DirectoryEntry.newBuilder().setNumber(7).setAddress("192.0.2.1").build();
    DirectoryList list =
        DirectoryList.newBuilder().setVersion(1).addEntries(entry).addEntries(entry).build();

    assertThat(refusal(TestDirectory.sign(signer, list), 0)).isEqualTo(DirectoryVerdict.MALFORMED);
  }

  @Test
  void refusesWhatIsNoList() {
    assertThat(refusal(new byte[] {1, 2, 3}, 0)).isEqualTo(DirectoryVerdict.MALFORMED);
    assertThat(refusal(new byte[0], 0)).isEqualTo(DirectoryVerdict.UNTRUSTED);
    assertThat(refusal(new byte[DirectoryCheck.MAX_BYTES + 1], 0))
        .isEqualTo(DirectoryVerdict.TOO_LONG);
  }

  private static Directory check(byte[] signed, long held) throws DirectoryRefusedException {
    return DirectoryCheck.check(signed, List.of(fleet.root()), held, NOW);
  }

  private static DirectoryVerdict refusal(byte[] signed, long held) {
    DirectoryRefusedException refused =
        catchThrowableOfType(DirectoryRefusedException.class, () -> check(signed, held));
    assertThat(refused).isNotNull();
    return refused.verdict();
  }
}
