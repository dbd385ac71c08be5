package dev.beckon.server.identity;

import dev.beckon.server.identity.KeyChangeException.Reason;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What an operator does to the fleet's keys: rotates master keys, and rolls the CA over to a new
 * root. Both go in two steps, with two live in between, while the devices move over by themselves
 * in their sessions. Thread-safe; the methods may block.
 */
public final class FleetKeys {

  /** A live master key and how many enrolled devices use it. */
  public record MasterKey(int id, boolean newest, int devices) {}

  /**
   * A trusted CA root.
   *
   * @param fingerprint SHA-256, in hexadecimal
   * @param newest whether it is the one that signs
   * @param devices enrolled devices that depend on it: on the older one, those that are not known
   *     to have moved; on the newest, the others
   * @param servers enrolled servers, counted likewise
   */
  public record Root(
      String fingerprint,
      Instant notBefore,
      Instant notAfter,
      boolean newest,
      int devices,
      int servers) {}

  /** How many depend on a root: enrolled devices, and enrolled servers. */
  public record Dependents(int devices, int servers) {

    boolean any() {
      return devices > 0 || servers > 0;
    }

    private Dependents less(Dependents others) {
      return new Dependents(devices - others.devices, servers - others.servers);
    }
  }

  /** Counts the fleet's other servers. May block. */
  public interface Servers {

    /** Enrolled ones. */
    int enrolled();

    /** Enrolled ones that are not known to have moved to the roots of this hash. */
    int ofOtherRoots(byte[] rootsHash);
  }

  private final Database database;
  private final FleetCa ca;
  private final MasterKeys masterKeys;
  private volatile @Nullable Servers servers;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  FleetKeys(Database database, FleetCa ca, MasterKeys masterKeys) {
    this.database = database;
    this.ca = ca;
    this.masterKeys = masterKeys;
  }

  /**
   * Is told when the CA's roots have changed: what servers show in handshakes changes with them,
   * and who may stay connected. What one listener throws keeps no other from being told.
   */
  public void onRootsChanged(Runnable listener) {
    listeners.add(listener);
  }

  /** Whom to count besides devices. */
  public void use(Servers counted) {
    servers = counted;
  }

  /** The live master keys, the newest last. */
  public List<MasterKey> masterKeys() {
    int newest = masterKeys.newestId();
    return masterKeys.liveIds().stream()
        .map(id -> new MasterKey(id, id == newest, users(id)))
        .toList();
  }

  /**
   * Makes a second master key. Keepalives under both are accepted.
   *
   * @throws KeyChangeException if two are live already
   */
  public synchronized MasterKey rotate() throws KeyChangeException {
    List<Integer> live = masterKeys.liveIds();
    if (live.size() >= MasterKeys.MAX_LIVE) {
      throw new KeyChangeException(
          Reason.CHANGE_UNFINISHED,
          "master keys: " + live + " are live (retire " + live.getFirst() + " first)");
    }
    int id = masterKeys.rotate();
    Identity.settle(database, ca, masterKeys);
    return new MasterKey(id, true, 0);
  }

  /**
   * Ends an older master key: whoever still uses it is not heard any more, until it is enrolled
   * anew.
   *
   * @param force also if devices use it
   * @return how many enrolled devices used it
   * @throws KeyChangeException if it cannot go
   */
  public synchronized int retire(int keyId, boolean force) throws KeyChangeException {
    List<Integer> live = masterKeys.liveIds();
    if (!live.contains(keyId)) {
      throw new KeyChangeException(
          Reason.KEY_UNKNOWN, "key ID: " + keyId + " (expected one of " + live + ")");
    }
    if (keyId == live.getLast()) {
      throw new KeyChangeException(
          Reason.KEY_NEWEST, "key ID: " + keyId + " (the newest; rotate first)");
    }
    int users = users(keyId);
    if (users > 0 && !force) {
      throw new KeyChangeException(
          Reason.KEY_IN_USE,
          "key "
              + keyId
              + ": "
              + users
              + " devices use it (they move when they next dial in; those that never do must be"
              + " enrolled anew)");
    }
    masterKeys.retire(keyId);
    return users;
  }

  private int users(int keyId) {
    return database.read(sql -> DeviceTable.countOfKey(sql, keyId));
  }

  /** The trusted roots, the newest last. */
  public List<Root> roots() {
    Dependents dependent = dependent();
    Servers others = servers;
    Dependents enrolled =
        new Dependents(
            database.read(DeviceTable::countEnrolled), others == null ? 0 : others.enrolled());
    List<X509Certificate> trusted = new ArrayList<>(ca.roots()).reversed();
    return trusted.stream()
        .map(
            root -> {
              boolean newest = root.equals(trusted.getLast());
              Dependents here =
                  trusted.size() == 1 ? enrolled : newest ? enrolled.less(dependent) : dependent;
              return new Root(
                  HexFormat.of().formatHex(FleetCa.fingerprint(root)),
                  root.getNotBefore().toInstant(),
                  root.getNotAfter().toInstant(),
                  newest,
                  here.devices(),
                  here.servers());
            })
        .toList();
  }

  /**
   * Makes a second root, which signs from now on. Both are trusted.
   *
   * @throws KeyChangeException if there are two already
   * @throws StoreException if the disk refused; there may be two now
   */
  public synchronized void roll() throws KeyChangeException {
    if (ca.roots().size() > 1) {
      throw new KeyChangeException(
          Reason.CHANGE_UNFINISHED, "fleet CA: two roots already (finish the roll first)");
    }
    ca.roll();
    try {
      Identity.settle(database, ca, masterKeys);
    } finally {
      tellRootsChanged(); // the new root signs, whatever the database says
    }
  }

  /**
   * Drops the older root: what it signed counts no more.
   *
   * @param force also if devices or servers depend on it
   * @return who is not known to have moved
   * @throws KeyChangeException if it cannot go
   * @throws StoreException if the disk refused; {@link #roots} tells whether the older root went
   */
  public synchronized Dependents finish(boolean force) throws KeyChangeException {
    if (ca.roots().size() == 1) {
      throw new KeyChangeException(
          Reason.ROOT_SINGLE,
          "fleet CA: one root only (roll first; finish drops the older of two)");
    }
    Dependents dependent = dependent();
    if (dependent.any() && !force) {
      throw new KeyChangeException(
          Reason.ROOT_IN_USE,
          "fleet CA: "
              + dependent.devices()
              + " devices and "
              + dependent.servers()
              + " servers depend on the older root (devices move when they next dial in, servers"
              + " while they are connected; those that never do must be enrolled anew)");
    }
    // First: a database that knows only the root that goes would not open any more.
    Identity.settle(database, ca, masterKeys);
    // Nor could this server show a certificate of a root that is gone. It has one of the newer root
    // since the roll, unless the disk was full then.
    ca.settleServer();
    ca.finish();
    tellRootsChanged();
    return dependent;
  }

  /** Tells all of them, then fails with what the first of them threw. */
  private void tellRootsChanged() {
    RuntimeException first = null;
    for (Runnable listener : listeners) {
      try {
        listener.run();
      } catch (RuntimeException failure) {
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }

  private Dependents dependent() {
    byte[] today = ca.rootsHash();
    Servers others = servers;
    return new Dependents(
        database.read(sql -> DeviceTable.countOfOtherRoots(sql, today)),
        others == null ? 0 : others.ofOtherRoots(today));
  }
}
