package dev.beckon.server.directory;

import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.EnrollmentCodes;
import dev.beckon.server.identity.FleetCa;
import dev.beckon.server.identity.FleetKeys;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The servers of the fleet besides the rendezvous server, which keeps this. What is here is what
 * the operator wants; devices go by the list that is signed from it. Thread-safe.
 */
public final class ApplicationServers implements FleetKeys.Servers {

  /**
   * Is told what happens to servers. Called on the thread that all writes wait for: return at once.
   */
  public interface Listener {

    /** Something that stands in the list changed. */
    default void onChanged() {}

    /** The server is shut out: its connections end. */
    default void onRemoved(int number) {}

    /** The server enrolled; connections of older generations end. */
    default void onEnrolled(int number, int generation) {}
  }

  /** Leaves room for the signature and its certificates. */
  private static final int MAX_LIST_BYTES = ListCheck.MAX_BYTES - 16_384;

  private final Database database;
  private final InstantSource clock;
  private final FleetCa ca;
  private final EnrollmentCodes codes;
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();

  /** Number → the generation that is let in. */
  private final ConcurrentHashMap<Integer, Integer> admitted = new ConcurrentHashMap<>();

  /**
   * @param advertised asked for each code, so the ports need not be known yet
   */
  public ApplicationServers(
      Database database, InstantSource clock, FleetCa ca, Supplier<Advertised> advertised) {
    this.database = database;
    this.clock = clock;
    this.ca = ca;
    this.codes = new EnrollmentCodes(clock, ca, advertised);
    for (ApplicationServer server : list()) {
      if (server.state() == ApplicationServer.State.ENROLLED) {
        admitted.put(server.number(), server.generation());
      }
    }
  }

  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  /**
   * Adds the server to the list and makes a code for it to enroll with; an unused code that it had
   * stops working. A known server gets this name and address, and goes on as it is until the new
   * code is used.
   *
   * @param number 1 to 65,535
   * @param address as {@link dev.beckon.protocol.directory.ServerAddress#parse} takes it
   * @param validity of the code, 1 second to {@link EnrollmentCodes#MAX_VALIDITY}
   * @return fails with {@link DirectoryFullException} if the list becomes too long
   * @throws IllegalArgumentException if one of them is out of range; the message is for people
   */
  public CompletableFuture<EnrollmentCode> add(
      int number, String name, String address, Duration validity) {
    check(number, name, address);
    EnrollmentCode code = codes.make(validity);
    return database.write(
        sql -> {
          Instant now = clock.instant();
          int generation =
              ServerTable.find(sql, number).map(ApplicationServer::generation).orElse(0);
          put(sql, number, name, address, now);
          ServerTable.INVITATIONS.invite(sql, number, generation, code, now);
          return code;
        },
        ignored -> listeners.forEach(Listener::onChanged));
  }

  /**
   * Gives a server another name and address. Empty if there is none of this number.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  public CompletableFuture<Optional<ApplicationServer>> set(
      int number, String name, String address) {
    check(number, name, address);
    return database.write(
        sql -> {
          if (present(sql, number).isEmpty()) {
            return Optional.empty();
          }
          put(sql, number, name, address, clock.instant());
          return present(sql, number);
        },
        changed -> changed.ifPresent(server -> listeners.forEach(Listener::onChanged)));
  }

  private static void put(Sql sql, int number, String name, String address, Instant now)
      throws SQLException {
    ServerTable.put(sql, number, name, address, now);
    long bytes = ServerTable.listBytes(sql);
    if (bytes > MAX_LIST_BYTES) {
      throw new DirectoryFullException(bytes, MAX_LIST_BYTES); // undoes the change
    }
  }

  /** Takes the server off the list and shuts it out. False if there is none of this number. */
  public CompletableFuture<Boolean> remove(int number) {
    return database.write(
        sql -> {
          boolean present = present(sql, number).isPresent();
          if (present) {
            ServerTable.remove(sql, number);
          }
          return present;
        },
        removed -> {
          if (removed) {
            admitted.remove(number);
            listeners.forEach(listener -> listener.onRemoved(number));
            listeners.forEach(Listener::onChanged);
          }
        });
  }

  private static void check(int number, String name, String address) {
    ApplicationServer.checkNumber(number);
    ApplicationServer.checkName(name);
    ApplicationServer.checkAddress(address);
  }

  /** The server of this number; empty if it was never added, or removed. */
  public Optional<ApplicationServer> find(int number) {
    return database.read(sql -> present(sql, number));
  }

  private static Optional<ApplicationServer> present(Sql sql, int number) throws SQLException {
    return ServerTable.find(sql, number)
        .filter(server -> server.state() != ApplicationServer.State.REMOVED);
  }

  /** All servers, by number. */
  public List<ApplicationServer> list() {
    return database.read(ServerTable::list);
  }

  /** The server says which roots it goes by. Written later. */
  public void holds(int number, int generation, PeerRoots held) {
    byte @Nullable [] rootsHash =
        held.equals(ca.peerRoots()) ? held.getRootsHash().toByteArray() : null;
    var _ =
        database.write(
            sql -> {
              ServerTable.holds(sql, number, generation, rootsHash);
              return true;
            });
  }

  @Override
  public int enrolled() {
    return database.read(ServerTable::countEnrolled);
  }

  @Override
  public int ofOtherRoots(byte[] rootsHash) {
    return database.read(sql -> ServerTable.countOfOtherRoots(sql, rootsHash));
  }

  /**
   * Whether a certificate of this number and generation lets its owner in: the server is enrolled,
   * was not removed, and did not enroll anew. Reads no database.
   */
  public boolean admits(int number, int generation) {
    Integer current = admitted.get(number);
    return current != null && current == generation;
  }

  void enrolled(int number, int generation) {
    admitted.put(number, generation);
    listeners.forEach(listener -> listener.onEnrolled(number, generation));
  }
}
