package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.SignedDirectory;
import dev.beckon.server.directory.ListRefusedException.Reason;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.FleetCa;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.ServerCredentials;
import dev.beckon.server.store.Database;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The signed list on a real store, with the fleet's real CA. */
final class DirectoryTest {

  private static final Instant START = Instant.parse("2026-05-04T03:02:01Z");
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Advertised HERE = new Advertised("192.0.2.1", 3478, 5349);

  @TempDir private Path folder;
  @TempDir private Path otherFolder;

  private final AtomicReference<Instant> now = new AtomicReference<>(START);
  private final List<Long> newer = Collections.synchronizedList(new ArrayList<>());
  private Database database;
  private Identity identity;
  private RendezvousDirectory rendezvous;

  @BeforeEach
  void open() {
    database = Database.open(folder);
    identity = Identity.open(database, now::get, () -> HERE);
    rendezvous =
        new RendezvousDirectory(
            database, now::get, identity.ca(), true, this::credentials, () -> HERE);
    rendezvous.directory().onNewer(list -> newer.add(list.version()));
  }

  private ServerCredentials credentials() {
    return identity.ca().issueServer(Set.of(0, 65_535));
  }

  @AfterEach
  void close() {
    rendezvous.close();
    database.close();
  }

  private void add(int number, String address) {
    rendezvous.servers().add(number, "server " + number, address, HOUR).join();
  }

  /** The list with all changes so far in it. */
  private SignedList published() throws Exception {
    rendezvous.publisher().publish().get(30, TimeUnit.SECONDS);
    return rendezvous.directory().current().orElseThrow();
  }

  private void check(List<java.security.cert.X509Certificate> chain)
      throws java.security.cert.CertificateException {
    new SignerCertificates(() -> List.of(identity.ca().root()), now::get).check(chain);
  }

  private DirectoryList checked(SignedList list) throws ListRefusedException {
    return ListCheck.check(list.bytes().toByteArray(), 0, this::check);
  }

  @Test
  void hasNoListWhileNoServerWasAdded() throws Exception {
    rendezvous.publisher().publish().get(30, TimeUnit.SECONDS);

    assertThat(rendezvous.directory().version()).isZero();
    assertThat(rendezvous.directory().current()).isEmpty();
    assertThat(rendezvous.status()).isEqualTo(new DirectoryStatus(0, null, true, 0, 0, 0));
  }

  @Test
  void signsEachChangeAsTheNextVersion() throws Exception {
    add(9, "print.example.org");
    assertThat(published().version()).isEqualTo(1);
    add(7, "[2001:db8::7]:6000");
    SignedList second = published();

    assertThat(second.version()).isEqualTo(2);
    DirectoryList list = checked(second);
    assertThat(list.getIssuedAtMillis()).isEqualTo(START.toEpochMilli());
    assertThat(list.getEntriesList())
        .extracting(DirectoryEntry::getNumber, DirectoryEntry::getName, DirectoryEntry::getAddress)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(7, "server 7", "[2001:db8::7]:6000"),
            org.assertj.core.groups.Tuple.tuple(9, "server 9", "print.example.org"));
    assertThat(rendezvous.status()).isEqualTo(new DirectoryStatus(2, START, true, 0, 0, 0));
    assertThat(newer).containsExactly(1L, 2L);

    rendezvous.servers().set(7, "server 7", "[2001:db8::7]:6000").join();
    assertThat(published().version()).as("nothing changed").isEqualTo(2);
    rendezvous.servers().remove(7).join();
    rendezvous.servers().remove(9).join();
    SignedList empty = published();
    assertThat(empty.version()).isBetween(3L, 4L);
    assertThat(checked(empty).getEntriesList()).isEmpty();
  }

  /**
   * A signer of its own may show a chain of the roll-over for as long as it has its certificate.
   */
  @Test
  void believesASignersChainOfARollOverDuringItAndAfterIt() throws Exception {
    var older = identity.ca().root();
    identity.fleetKeys().roll();
    add(7, "host");
    SignedList during = published();

    for (var roots :
        List.of(List.of(older), identity.ca().roots(), List.of(identity.ca().root()))) {
      SignerCertificates signers = new SignerCertificates(() -> roots, now::get);
      assertThat(ListCheck.check(during.bytes().toByteArray(), 0, signers).getVersion())
          .isEqualTo(1);
    }
  }

  @Test
  void holdsTheSameListAfterARestart() throws Exception {
    add(7, "host");
    SignedList before = published();

    close();
    open();

    assertThat(rendezvous.directory().version()).isEqualTo(1);
    assertThat(rendezvous.directory().current()).contains(before);
    assertThat(published()).as("nothing to sign").isEqualTo(before);
  }

  @Test
  void signsWhatWasChangedJustBeforeAStop() throws Exception {
    add(7, "host");
    published();
    rendezvous.close(); // before the next change can be signed
    rendezvous.servers().set(7, "server 7", "elsewhere").join();
    assertThat(rendezvous.status().upToDate()).isFalse();
    database.close();
    open();

    rendezvous.begin();

    assertThat(published().entries().get(0).getAddress()).isEqualTo("elsewhere");
    assertThat(rendezvous.directory().version()).isEqualTo(2);
  }

  @Test
  void signsTheSameListAnewOnceTheCertificateIsAnother() throws Exception {
    add(7, "host");
    SignedList before = published();
    now.set(START.plus(Duration.ofDays(200))); // half of the certificate's year is over

    SignedList after = published();

    assertThat(after.version()).as("devices need not be woken").isEqualTo(1);
    assertThat(after.entries()).isEqualTo(before.entries());
    assertThat(after.bytes()).isNotEqualTo(before.bytes());
    now.set(START.plus(Duration.ofDays(370)));
    assertThat(checked(after).getVersion()).isEqualTo(1);
    assertThatThrownBy(() -> checked(before))
        .isInstanceOfSatisfying(
            ListRefusedException.class,
            refused -> assertThat(refused.reason()).isEqualTo(Reason.WRONG_SIGNER));
    assertThat(newer).containsExactly(1L);
    close();
    open();
    assertThat(rendezvous.directory().current()).contains(after);
  }

  // ---- copies of another server's list

  @Test
  void takesACopyThatIsNewer() throws Exception {
    add(7, "host");
    SignedList first = published();
    add(8, "host");
    SignedList second = published();
    try (Database other = Database.open(otherFolder)) {
      Directory copy = new Directory(other);

      assertThat(copy.accept(first.bytes(), this::check).join()).isTrue();
      assertThat(copy.accept(first.bytes(), this::check).join()).as("the same").isFalse();
      assertThat(copy.accept(second.bytes(), this::check).join()).isTrue();
      assertThat(copy.current()).contains(second);
      assertThat(new Directory(other).current()).as("as it is stored").contains(second);
      assertRefused(copy, first.bytes(), Reason.ROLLED_BACK);
      assertThat(copy.version()).isEqualTo(2);
    }
  }

  @Test
  void refusesWhatTheDirectoryServerDidNotSign() throws Exception {
    add(7, "host");
    SignedDirectory good = SignedDirectory.parseFrom(published().bytes());
    DirectoryList forged =
        DirectoryList.parseFrom(good.getList()).toBuilder().setVersion(9).build();
    try (Database other = Database.open(otherFolder)) {
      Directory copy = new Directory(other);

      assertRefused(copy, good.toBuilder().setList(forged.toByteString()).build(), Reason.FORGED);
      byte[] bent = good.getSignature().toByteArray();
      bent[bent.length - 1] ^= 1;
      assertRefused(
          copy, good.toBuilder().setSignature(ByteString.copyFrom(bent)).build(), Reason.FORGED);
      assertRefused(copy, good.toBuilder().clearSignature().build(), Reason.FORGED);
      assertRefused(copy, good.toBuilder().clearCertificateChain().build(), Reason.WRONG_SIGNER);
      assertRefused(
          copy,
          good.toBuilder().setCertificateChain(0, ByteString.copyFromUtf8("x")).build(),
          Reason.WRONG_SIGNER);
      assertRefused(copy, ByteString.copyFrom(new byte[] {1, 2, 3}), Reason.MALFORMED);
      assertRefused(copy, ByteString.copyFrom(new byte[ListCheck.MAX_BYTES + 1]), Reason.MALFORMED);
      assertThat(copy.version()).isZero();
    }
  }

  @Test
  void refusesAnotherFleetsListAndAnotherServersList() throws Exception {
    try (Database other = Database.open(otherFolder)) {
      Directory elsewhere = new Directory(other);
      FleetCa otherCa =
          FleetCa.openOrCreate(Files.createDirectory(otherFolder.resolve("ca")), now::get);
      List<DirectoryEntry> entries = List.of(DirectoryEntry.newBuilder().setNumber(1).build());
      try (ListIssuer stranger =
          new ListIssuer(elsewhere, () -> otherCa.issueServer(Set.of(65_535)), now::get)) {
        ByteString bytes = stranger.sign(entries).get(30, TimeUnit.SECONDS).bytes();
        assertRefused(rendezvous.directory(), bytes, Reason.WRONG_SIGNER);
      }
      try (ListIssuer rendezvousOnly =
          new ListIssuer(elsewhere, () -> identity.ca().issueServer(Set.of(0)), now::get)) {
        ByteString bytes = rendezvousOnly.sign(entries).get(30, TimeUnit.SECONDS).bytes();
        assertRefused(rendezvous.directory(), bytes, Reason.WRONG_SIGNER);
      }
    }
  }

  @Test
  void refusesAListWhoseNumbersDoNotRise() throws Exception {
    try (ListIssuer careless =
        new ListIssuer(rendezvous.directory(), this::credentials, now::get)) {
      for (List<Integer> numbers :
          List.of(List.of(2, 1), List.of(1, 1), List.of(0), List.of(65_536), List.of(-1))) {
        SignedList list =
            careless
                .sign(
                    numbers.stream()
                        .map(number -> DirectoryEntry.newBuilder().setNumber(number).build())
                        .toList())
                .get(30, TimeUnit.SECONDS);
        assertThatThrownBy(() -> checked(list))
            .isInstanceOfSatisfying(
                ListRefusedException.class,
                refused -> assertThat(refused.reason()).isEqualTo(Reason.MALFORMED));
      }
    }
  }

  private void assertRefused(Directory directory, SignedDirectory signed, Reason reason) {
    assertRefused(directory, signed.toByteString(), reason);
  }

  private void assertRefused(Directory directory, ByteString signed, Reason reason) {
    assertThatThrownBy(() -> directory.accept(signed, this::check))
        .isInstanceOfSatisfying(
            ListRefusedException.class, refused -> assertThat(refused.reason()).isEqualTo(reason));
  }

  // ---- limits

  @Test
  void refusesMoreThanDevicesTake() {
    String longAddress = "a".repeat(200) + "." + "b".repeat(30);
    int number = 0;
    Throwable refused = null;
    while (refused == null && number < 10_000) {
      List<java.util.concurrent.CompletableFuture<?>> batch = new ArrayList<>();
      for (int each : IntStream.range(0, 500).toArray()) {
        batch.add(
            rendezvous.servers().add(++number, "x".repeat(100), longAddress + "." + each, HOUR));
      }
      for (var adding : batch) {
        try {
          adding.join();
        } catch (java.util.concurrent.CompletionException full) {
          refused = full.getCause();
        }
      }
    }

    assertThat(refused).isInstanceOf(DirectoryFullException.class);
    assertThat(rendezvous.servers().list()).hasSizeBetween(2_500, 3_500);
  }
}
