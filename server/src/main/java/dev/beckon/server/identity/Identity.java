package dev.beckon.server.identity;

import dev.beckon.server.store.Database;
import java.time.InstantSource;
import java.util.function.Supplier;

/** All of the fleet's identity, opened together: keys, CA and database belong to one another. */
public record Identity(
    FleetCa ca, MasterKeys masterKeys, DenyList denyList, Devices devices, Enrollment enrollment) {

  /**
   * Opens what is in the data folder; makes it on the first start.
   *
   * @param advertised asked at each enrollment, so the ports need not be known yet
   */
  public static Identity open(
      Database database, InstantSource clock, Supplier<Advertised> advertised) {
    throw new UnsupportedOperationException();
  }
}
