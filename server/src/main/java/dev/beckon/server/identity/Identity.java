package dev.beckon.server.identity;

import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;

/** All of the fleet's identity, opened together: keys, CA and database belong to one another. */
public record Identity(
    FleetCa ca, MasterKeys masterKeys, DenyList denyList, Devices devices, Enrollment enrollment) {

  private static final String CA_SETTING = "fleet-ca";
  private static final String KEYS_SETTING = "master-keys";

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
    requireSame(database, CA_SETTING, caFile, ca.fingerprint());
    // A hash of 256 random bits gives nothing away.
    requireSame(database, KEYS_SETTING, keysFile, FleetCa.sha256(keys.tableKey()));
    DenyList denyList = new DenyList(database);
    return new Identity(
        ca,
        keys,
        denyList,
        new Devices(database, clock, ca, denyList, advertised),
        new Enrollment(database, clock, ca, keys, denyList, advertised));
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

  private static void requireSame(Database database, String setting, Path file, byte[] value) {
    Optional<byte[]> before = setting(database, setting);
    if (before.isEmpty()) {
      database
          .write(sql -> sql.update("INSERT INTO settings VALUES (?, ?)", setting, value))
          .join();
    } else if (!Arrays.equals(before.get(), value)) {
      throw new StoreException(
          file
              + ": not the one that belongs to this database (restore both from one backup;"
              + " nothing was changed)");
    }
  }

  private static Optional<byte[]> setting(Database database, String name) {
    return database.read(
        sql ->
            sql.first("SELECT value FROM settings WHERE name = ?", row -> row.getBytes(1), name));
  }
}
