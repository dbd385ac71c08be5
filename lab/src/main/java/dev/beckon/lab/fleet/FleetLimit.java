package dev.beckon.lab.fleet;

import java.util.Map;

/**
 * How many devices a server sustains, from what it takes when it is saturated: a part of that, so
 * that nothing is lost when somebody else needs the processor for a moment.
 *
 * @param takenPerSecond keepalives that the saturated server answered
 */
public record FleetLimit(double takenPerSecond) {
  /** Nine tenths. A queue in front of a server that is busier than that grows long by itself. */
  private static final double SHARE = 0.9;

  private static final int[] INTERVALS_SECONDS = {25, 60, 120};

  /** Devices with this interval; not limited to what can be simulated. */
  public long devices(int intervalSeconds) {
    return (long) (SHARE * takenPerSecond / PacedFleet.perSecond(1, intervalSeconds));
  }

  /** Adds the figures for the usual intervals. */
  public void report(Map<String, Number> figures) {
    for (int seconds : INTERVALS_SECONDS) {
      figures.put("sustainedDevicesAt" + seconds + "Seconds", devices(seconds));
    }
  }
}
