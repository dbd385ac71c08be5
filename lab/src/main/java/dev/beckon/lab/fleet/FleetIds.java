package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DeviceId;
import java.util.Locale;

/** The IDs of simulated devices: {@code sim-00000000} and so on. */
public final class FleetIds {
  private FleetIds() {}

  /** All have the same length, so that all their keepalives have. */
  public static DeviceId of(int device) {
    return new DeviceId(String.format(Locale.ROOT, "sim-%08d", device));
  }
}
