package dev.beckon.server;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.server.api.MetricsText;
import dev.beckon.server.directory.Directory;
import dev.beckon.server.directory.DirectoryPush;
import dev.beckon.server.directory.ListPieces;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.directory.Retry;
import dev.beckon.server.directory.SignedList;
import dev.beckon.server.directory.SignerCertificates;
import dev.beckon.server.peer.PeerDirectory;
import dev.beckon.server.peer.PeerServer;
import dev.beckon.server.session.ServedDirectory;
import dev.beckon.server.wake.Wakes;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The directory on the rendezvous server: to devices in their sessions and by wakes, to the other
 * servers over their connections, and back from a directory server of its own.
 */
final class DirectoryPart implements ServedDirectory, PeerDirectory {
  /** After a write that failed. */
  static final Duration RETRY = Duration.ofSeconds(10);

  private final Ground ground;
  private final RendezvousDirectory rendezvous;
  private final Directory directory;
  private final Wakes wakes;
  private final PeerServer peers;
  private final DirectoryPush push;
  private final SignerCertificates signers;
  private final ListPieces arriving = new ListPieces(); // on `exchange` alone
  private final Retry accepting; // likewise

  /** Sends and takes lists one after the other, so that their pieces do not mix. */
  private final ExecutorService exchange =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("directory-exchange").factory());

  DirectoryPart(
      Ground ground,
      RendezvousDirectory rendezvous,
      SignerCertificates signers,
      Wakes wakes,
      PeerServer peers,
      DirectoryPush push) {
    this.ground = ground;
    this.rendezvous = rendezvous;
    this.directory = rendezvous.directory();
    this.signers = signers;
    this.wakes = wakes;
    this.peers = peers;
    this.push = push;
    this.accepting = new Retry("the directory server's list", ground.later(RETRY, exchange));
    ground.opened().add(exchange::shutdownNow);
    rendezvous.use(push);
    peers.use(this);
    directory.onNewer(this::sendToCopies);
    directory.onSignedAnew(this::sendToCopies); // a copy is worth no more than its certificate
  }

  private void sendToCopies(SignedList list) {
    exchange.execute(
        () ->
            peers.connected().stream()
                .filter(number -> number != Wake.DIRECTORY_SERVER)
                .forEach(number -> send(number, list)));
  }

  /** Begins to bring the list to devices. */
  void start() {
    ground.every(Duration.ofMillis(100), () -> ground.background().execute(push::onTime));
  }

  // ---- to devices

  @Override
  public Optional<SignedList> current() {
    return directory.current();
  }

  @Override
  public void holds(DeviceId id, long version) {
    push.holds(id, version);
  }

  /** The directory server of its own says that the device has its list. */
  void servedElsewhere(DeviceId id) {
    push.holds(id, directory.version());
  }

  @Override
  public List<WaitingServer> waitingServers(DeviceId id) {
    // Not the directory's own wake: the list itself follows right behind.
    return wakes.waiting(id).stream()
        .filter(wake -> wake.serverNumber() != Wake.RENDEZVOUS_SERVER)
        .filter(wake -> wake.serverNumber() != Wake.DIRECTORY_SERVER)
        .map(
            wake ->
                WaitingServer.newBuilder()
                    .setNumber(wake.serverNumber())
                    .setWakeId(wake.wakeId())
                    .setDeadlineMillis(wake.deadlineMillis())
                    .build())
        .toList();
  }

  /** As it goes into the answer to an enrollment. */
  ByteString forEnrollment() {
    return directory.current().map(SignedList::forEnrollment).orElse(ByteString.EMPTY);
  }

  // ---- to and from other servers

  @Override
  public int version() {
    return (int) directory.version();
  }

  @Override
  public void connected(int number, int version) {
    exchange.execute(
        () -> {
          SignedList list = directory.current().orElse(null);
          // A copy of the same version may be below an older certificate; the directory server's
          // own list is not.
          long known = Integer.toUnsignedLong(version);
          if (list != null
              && (number == Wake.DIRECTORY_SERVER
                  ? list.version() > known
                  : list.version() >= known)) {
            send(number, list);
          }
          if (number == Wake.DIRECTORY_SERVER) {
            // Behind the list that this server holds: its version is below the next one.
            rendezvous.remoteSigner().connected(frame -> peers.send(number, frame));
          }
        });
  }

  private void send(int number, SignedList list) {
    ListPieces.of(list).forEach(frame -> peers.send(number, frame));
  }

  @Override
  public void received(int number, PeerFrame frame) {
    if (number == Wake.DIRECTORY_SERVER && frame.hasDirectoryPiece()) {
      exchange.execute(() -> take(frame));
    }
  }

  private void take(PeerFrame frame) {
    ByteString whole = arriving.take(frame.getDirectoryPiece());
    if (whole == null) {
      return;
    }
    accepting.attempt(() -> directory.accept(whole, signers).join());
  }

  @Override
  public void disconnected(int number) {
    if (number == Wake.DIRECTORY_SERVER) {
      rendezvous.remoteSigner().disconnected();
    }
  }

  void metrics(MetricsText text) {
    text.gauge(
        "beckon_directory_version",
        "Version of the signed list of servers; 0 if there is none.",
        directory.version());
    text.gauge(
        "beckon_directory_wakes_outstanding",
        "Devices that were woken for a newer list and did not come yet.",
        push.outstanding());
    text.counter(
        "beckon_directory_wakes_total", "Wakes sent for a newer list of servers.", push.woken());
  }
}
