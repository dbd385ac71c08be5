package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.store.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lists that another server signs, with that server's real signer on a store of its own. */
final class RemoteSignerTest {

  private static final Advertised HERE = new Advertised("192.0.2.1", 3478, 5349);

  @TempDir private Path folder;
  @TempDir private Path otherFolder;

  private final LinkedBlockingQueue<PeerFrame> sent = new LinkedBlockingQueue<>();
  private Database database;
  private Database otherDatabase;
  private Identity identity;
  private RendezvousDirectory rendezvous;
  private ListIssuer directoryServer;

  @BeforeEach
  void open() {
    database = Database.open(folder);
    otherDatabase = Database.open(otherFolder);
    identity = Identity.open(database, InstantSource.system(), () -> HERE);
    rendezvous =
        new RendezvousDirectory(
            database,
            InstantSource.system(),
            identity.ca(),
            false,
            () -> identity.ca().issueServer(Set.of(0)),
            () -> HERE);
    directoryServer =
        new ListIssuer(
            new Directory(otherDatabase),
            () -> identity.ca().issueServer(Set.of(65_535)),
            InstantSource.system());
  }

  @AfterEach
  void close() {
    rendezvous.close();
    directoryServer.close();
    database.close();
    otherDatabase.close();
  }

  private void add(int number) {
    rendezvous.servers().add(number, "server " + number, "host", Duration.ofHours(1)).join();
  }

  private static List<DirectoryEntry> entries(int number) {
    return List.of(DirectoryEntry.newBuilder().setNumber(number).build());
  }

  /** The contents that the rendezvous server asks the directory server to sign. */
  private List<DirectoryEntry> asked() throws Exception {
    PeerFrame frame = sent.poll(30, TimeUnit.SECONDS);
    assertThat(frame).as("contents to sign").isNotNull();
    ByteString whole = new ListPieces().take(frame.getDirectoryContents());
    return DirectoryList.parseFrom(whole).getEntriesList();
  }

  /** The directory server signs, and its list arrives. */
  private void signed(Directory directory, List<DirectoryEntry> entries) throws Exception {
    SignedList list = directoryServer.sign(entries).get(30, TimeUnit.SECONDS);
    directory
        .accept(
            list.bytes(),
            new SignerCertificates(() -> List.of(identity.ca().root()), InstantSource.system()))
        .get(30, TimeUnit.SECONDS);
  }

  @Test
  void forgetsContentsThatWereTakenBackWhileTheSignerWasAway() throws Exception {
    Directory directory = new Directory(database);
    RemoteSigner signer = new RemoteSigner(directory);
    signed(directory, entries(9));
    CompletableFuture<SignedList> changed = signer.sign(entries(7));

    SignedList unchanged = signer.sign(entries(9)).get(30, TimeUnit.SECONDS);

    assertThat(unchanged.version()).isEqualTo(1);
    assertThat(changed).as("nobody waits on").isCompletedWithValue(unchanged);
    signer.connected(sent::add);
    assertThat(sent).isEmpty();
  }

  @Test
  void asksForTheOldContentsAgainIfTheyWereTakenBackTooLate() throws Exception {
    add(9);
    rendezvous.remoteSigner().connected(sent::add);
    List<DirectoryEntry> before = asked();
    signed(rendezvous.directory(), before);
    rendezvous.publisher().publish().get(30, TimeUnit.SECONDS);
    add(7);
    List<DirectoryEntry> inFlight = asked();
    assertThat(inFlight).hasSize(2);
    rendezvous.servers().remove(7).join();
    rendezvous.publisher().publish().get(30, TimeUnit.SECONDS);

    signed(rendezvous.directory(), inFlight);

    assertThat(asked()).isEqualTo(before);
    signed(rendezvous.directory(), before);
    assertThat(rendezvous.directory().version()).isEqualTo(3);
    assertThat(rendezvous.status().upToDate()).isTrue();
  }
}
