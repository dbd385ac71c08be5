package dev.beckon.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.server.directory.Directory;
import dev.beckon.server.directory.ListIssuer;
import dev.beckon.server.directory.ListPieces;
import dev.beckon.server.directory.Retry;
import dev.beckon.server.directory.SignedList;
import dev.beckon.server.directory.SignerCertificates;
import dev.beckon.server.peer.PeerDirectory;
import dev.beckon.server.session.ServedDirectory;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory on a server of its own number: a copy of the list for its devices. On number 65,535
 * the list is made here, from what the rendezvous server says.
 */
final class EnrolledDirectory implements ServedDirectory, PeerDirectory {
  private static final Logger log = LoggerFactory.getLogger(EnrolledDirectory.class);

  private final EnrolledPart enrolled;
  private final Directory directory;
  private final SignerCertificates signers;
  private final ListIssuer issuer;
  private final ListPieces lists = new ListPieces(); // on `exchange` alone
  private final ListPieces contents = new ListPieces(); // likewise
  private final Retry accepting; // likewise
  private final Retry signing; // likewise
  private final Retry renewing; // likewise; apart, for it makes no contents out of date

  private final ExecutorService exchange =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("directory-exchange").factory());

  EnrolledDirectory(Ground ground, EnrolledPart enrolled) {
    this.enrolled = enrolled;
    this.directory = new Directory(ground.database());
    this.signers = new SignerCertificates(() -> enrolled.identity().roots(), ground.clock());
    this.issuer =
        ground
            .opened()
            .add(
                new ListIssuer(directory, () -> enrolled.identity().credentials(), ground.clock()));
    Executor later = ground.later(DirectoryPart.RETRY, exchange);
    this.accepting = new Retry("the rendezvous server's list", later);
    this.renewing = new Retry("the signature below the list", later);
    this.signing = new Retry("the rendezvous server's contents", later);
    ground.opened().add(exchange::shutdownNow);
    enrolled.link().use(this);
    enrolled.onRenewed(() -> exchange.execute(this::signAnew));
    directory.onNewer(list -> enrolled.listChanged());
  }

  private boolean signsHere() {
    return enrolled.number() == Wake.DIRECTORY_SERVER;
  }

  @Override
  public Optional<SignedList> current() {
    return directory.current();
  }

  @Override
  public void holds(DeviceId id, long version) {
    if (signsHere() && version > 0 && version >= directory.version()) {
      enrolled.served(id); // what the rendezvous server woke it for
    }
  }

  @Override
  public int version() {
    return (int) directory.version();
  }

  /** The rendezvous server may have missed the newest list, or its newest signature. */
  @Override
  public void connected(int number, int version) {
    exchange.execute(this::signAnew);
  }

  /** Puts the present certificate below the list that is held, and sends it. */
  private void signAnew() {
    if (signsHere()) {
      renewing.attempt(
          () -> directory.current().ifPresent(held -> send(issuer.sign(held.entries()).join())));
    }
  }

  @Override
  public void received(int number, PeerFrame frame) {
    exchange.execute(
        () -> {
          try {
            take(frame);
          } catch (InvalidProtocolBufferException malformed) {
            log.error("the rendezvous server sent contents that cannot be read", malformed);
          }
        });
  }

  private void take(PeerFrame frame) throws InvalidProtocolBufferException {
    if (frame.hasDirectoryPiece()) {
      ByteString whole = lists.take(frame.getDirectoryPiece());
      if (whole != null) {
        accepting.attempt(() -> directory.accept(whole, signers).join());
      }
    } else if (signsHere()) {
      ByteString whole = contents.take(frame.getDirectoryContents());
      if (whole != null) {
        List<DirectoryEntry> entries = DirectoryList.parseFrom(whole).getEntriesList();
        signing.attempt(() -> send(issuer.sign(entries).join()));
      }
    }
  }

  private void send(SignedList list) {
    ListPieces.of(list).forEach(enrolled.link()::send);
  }
}
