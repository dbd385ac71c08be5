package dev.beckon.server.identity;

import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** All of the fleet's identity, opened together: keys, CA and database belong to one another. */
public record Identity(
    FleetCa ca,
    MasterKeys masterKeys,
    DenyList denyList,
    Devices devices,
    Enrollment enrollment,
    Renewals renewals,
    FleetKeys fleetKeys) {

  private static final String CA_SETTING = "fleet-ca";
  private static final String KEYS_SETTING = "master-keys";
  private static final String NEWEST_KEY_SETTING = "newest-master-key";

  /**
   * Opens what is in the data folder; makes it on the first start.
   *
   * @param advertised asked at each enrollment, so the ports need not be known yet
   * @throws StoreException if a key file is damaged, missing, or not the one that this database's
   *     devices were enrolled with
   */
  public static Identity open(
      Database database, InstantSource clock, Supplier<Advertised> advertised) {
    Path caFile = database.folder().resolve(FleetCa.FILE);
    Path keysFile = database.folder().resolve(MasterKeys.FILE);
    requirePresent(database, CA_SETTING, caFile);
    requirePresent(database, KEYS_SETTING, keysFile);
    FleetCa ca = FleetCa.openOrCreate(database.folder(), clock);
    MasterKeys keys = MasterKeys.openOrCreate(database.folder());
    // Either root: the power may have gone between the file and the database.
    requireSame(database, CA_SETTING, caFile, ca.roots().stream().map(FleetCa::fingerprint));
    // A hash of 256 random bits gives nothing away.
    byte[] keysHash = FleetCa.sha256(keys.tableKey());
    requireSame(database, KEYS_SETTING, keysFile, Stream.of(keysHash));
    requireNoOlder(database, keysFile, keys.newestId());
    store(database, KEYS_SETTING, keysHash);
    settle(database, ca, keys);
    DenyList denyList = new DenyList(database);
    EnrollmentCodes codes = new EnrollmentCodes(clock, ca, advertised);
    Devices devices = new Devices(database, clock, codes, denyList);
    return new Identity(
        ca,
        keys,
        denyList,
        devices,
        new Enrollment(database, clock, ca, keys, denyList, advertised),
        new Renewals(database, ca, keys, denyList, devices),
        new FleetKeys(database, ca, keys));
  }

  /** Notes in the database which root and which master key are the newest; durable on return. */
  static void settle(Database database, FleetCa ca, MasterKeys keys) {
    store(database, CA_SETTING, ca.fingerprint());
    store(database, NEWEST_KEY_SETTING, new byte[] {(byte) keys.newestId()});
  }

  /** A new CA or new keys beside an old database would shut out every device of the fleet. */
  private static void requirePresent(Database database, String setting, Path file) {
    if (setting(database, setting).isPresent() && !Files.exists(file)) {
      throw new StoreException(
          file
              + ": missing (every device depends on it: restore it from a backup; for a new fleet"
              + " choose an empty folder with --data)");
    }
  }

  private static void requireSame(
      Database database, String setting, Path file, Stream<byte[]> allowed) {
    Optional<byte[]> before = setting(database, setting);
    if (before.isPresent() && allowed.noneMatch(value -> Arrays.equals(before.get(), value))) {
      throw new StoreException(
          file
              + ": not the one that belongs to this database (restore both from one backup;"
              + " nothing was changed)");
    }
  }

  /** A file from before a rotation would silence every device that has moved to the newer key. */
  private static void requireNoOlder(Database database, Path file, int newestId) {
    Optional<byte[]> before = setting(database, NEWEST_KEY_SETTING);
    if (before.isPresent() && Byte.toUnsignedInt(before.get()[0]) > newestId) {
      throw new StoreException(
          file
              + ": older than this database, which knows key "
              + Byte.toUnsignedInt(before.get()[0])
              + " (restore both from one backup; nothing was changed)");
    }
  }

  private static void store(Database database, String setting, byte[] value) {
    if (setting(database, setting).filter(before -> Arrays.equals(before, value)).isEmpty()) {
      database
          .write(
              sql ->
                  sql.update(
                      "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value ="
                          + " excluded.value",
                      setting,
                      value))
          .join();
    }
  }

  private static Optional<byte[]> setting(Database database, String name) {
    return database.read(
        sql ->
            sql.first("SELECT value FROM settings WHERE name = ?", row -> row.getBytes(1), name));
  }
}
