package dev.beckon.bench.fleet;

import dev.beckon.lab.fleet.KnownFleet;
import dev.beckon.lab.fleet.LoadKind;
import dev.beckon.lab.fleet.SimulationPlan;
import dev.beckon.protocol.datagram.Interval;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * Writes the bindings of a simulated fleet into the data folder of a server that is stopped; {@code
 * simulate --known} then needs no set-up. Prints the longest time that a row took, in microseconds.
 */
final class WriteBindings {
  private static final int INTERVAL_SECONDS = 60;

  private WriteBindings() {}

  public static void main(String[] args) {
    if (args.length != 6) {
      System.err.println(
          "arguments: DATA SERVER-ADDRESS SERVER-PORT DEVICES SOURCES SOURCE-PORT (expected all)");
      System.exit(2);
    }
    long longestNanos =
        KnownFleet.write(
            Path.of(args[0]),
            new SimulationPlan(
                new InetSocketAddress(args[1], Integer.parseInt(args[2])),
                LoadKind.KEEPALIVE,
                Integer.parseInt(args[3]),
                Integer.parseInt(args[4]),
                Integer.parseInt(args[5]),
                true,
                new Interval(INTERVAL_SECONDS),
                0),
            System.currentTimeMillis(),
            System::nanoTime,
            (what, done, total) -> {});
    System.out.println(longestNanos / 1000);
  }
}
