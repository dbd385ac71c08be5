package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.Interval;
import java.net.InetSocketAddress;

/**
 * What is simulated.
 *
 * @param server address:port that keepalives go to
 * @param kind what the devices send
 * @param devices 1 to {@link Fleet#MAX_DEVICES}
 * @param sources UDP sockets that they share, 1 to {@link #MAX_SOURCES}
 * @param sourcePort first local port; 0 means any that are free
 * @param segments whether the kernel cuts long sends into datagrams, where it can
 * @param interval that the devices announce and, when paced, keep
 * @param seed of transaction IDs
 */
public record SimulationPlan(
    InetSocketAddress server,
    LoadKind kind,
    int devices,
    int sources,
    int sourcePort,
    boolean segments,
    Interval interval,
    int seed) {

  /** So many ports on each of the local addresses are plenty, and below usual limits of files. */
  public static final int MAX_SOURCES = 16_384;

  public SimulationPlan {
    check("devices", devices, 1, Fleet.MAX_DEVICES);
    check("sources", sources, 1, MAX_SOURCES);
    check("source-port", sourcePort, 0, 65_535);
  }

  private static void check(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          name + ": " + value + " (expected " + least + " to " + most + ")");
    }
  }
}
