package dev.beckon.server.directory;

import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.FleetCa;
import dev.beckon.server.identity.ServerCredentials;
import dev.beckon.server.store.Database;
import java.time.InstantSource;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All of the directory on the rendezvous server, put together: what the operator wants, the signed
 * list that it becomes, and the enrollment of the servers in it. Thread-safe.
 */
public final class RendezvousDirectory implements AutoCloseable {

  private final ApplicationServers servers;
  private final ServerEnrollment enrollment;
  private final Directory directory;
  private final ListIssuer issuer;
  private final RemoteSigner remoteSigner;
  private final boolean signsItself;
  private final Publisher publisher;
  private volatile @Nullable DirectoryPush push;

  /**
   * @param signsItself whether this server signs the list as long as no directory server of its own
   *     is enrolled
   * @param credentials of this server, for the numbers 0 and 65,535; asked for each signature
   * @param advertised asked for each enrollment, so the ports need not be known yet
   */
  public RendezvousDirectory(
      Database database,
      InstantSource clock,
      FleetCa ca,
      boolean signsItself,
      Supplier<ServerCredentials> credentials,
      Supplier<Advertised> advertised) {
    servers = new ApplicationServers(database, clock, ca, advertised);
    enrollment = new ServerEnrollment(database, clock, ca, servers, advertised);
    directory = new Directory(database);
    issuer = new ListIssuer(directory, credentials, clock);
    remoteSigner = new RemoteSigner(directory);
    this.signsItself = signsItself;
    publisher =
        new Publisher(
            servers,
            directory,
            entries -> signsElsewhere() ? remoteSigner.sign(entries) : issuer.sign(entries));
    servers.addListener(
        new ApplicationServers.Listener() {
          @Override
          public void onEnrolled(int number, int generation) {
            if (number == ListCheck.SIGNER_NUMBER) {
              publisher.publish();
            }
          }
        });
    // What another server signed may have been taken back while it was on its way.
    directory.onNewer(list -> publisher.publish());
  }

  /** Has signed what was not when the server stopped, or what needs a new certificate below it. */
  public void begin() {
    publisher.publish();
  }

  /** Who brings the list to the devices. */
  public void use(DirectoryPush started) {
    push = started;
  }

  public ApplicationServers servers() {
    return servers;
  }

  public ServerEnrollment enrollment() {
    return enrollment;
  }

  public Directory directory() {
    return directory;
  }

  /** The directory server of its own. */
  public RemoteSigner remoteSigner() {
    return remoteSigner;
  }

  /** Whether lists are signed by another server. Reads the database. */
  private boolean signsElsewhere() {
    return !signsItself
        || servers
            .find(ListCheck.SIGNER_NUMBER)
            .filter(server -> server.state() == ApplicationServer.State.ENROLLED)
            .isPresent();
  }

  public Publisher publisher() {
    return publisher;
  }

  public DirectoryStatus status() {
    SignedList list = directory.current().orElse(null);
    boolean upToDate =
        list == null ? publisher.contents().isEmpty() : list.entries().equals(publisher.contents());
    DirectoryPush pushing = push;
    return new DirectoryStatus(
        directory.version(),
        list == null ? null : list.issuedAt(),
        upToDate,
        signsElsewhere() ? ListCheck.SIGNER_NUMBER : 0,
        pushing == null ? 0 : pushing.upToDate(),
        pushing == null ? 0 : pushing.outstanding());
  }

  @Override
  public void close() {
    publisher.close();
    issuer.close();
  }
}
