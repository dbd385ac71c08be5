package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.registrar.file.BindingFiles;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What a server remembers of a fleet, written into its data folder while it is stopped: in seconds
 * the table that {@link SetUp} takes minutes to bring about. For measurements that begin with a
 * full table.
 */
public final class KnownFleet {
  private static final int TOLD_EVERY = 1 << 16;

  private KnownFleet() {}

  /**
   * Writes the bindings of all devices, as if each had just proven its address.
   *
   * @param data the server's folder; its keys are made if there are none
   * @param plan with a server's address and a source port that are those of later runs
   * @param nowMillis unix time, which the devices' last sequences are
   * @return the longest time in nanoseconds that a row took, as one does that makes the table grow
   */
  public static long write(
      Path data, SimulationPlan plan, long nowMillis, LongSupplier nanoClock, Progress progress) {
    if (plan.sourcePort() == 0) {
      throw new IllegalArgumentException("source-port: 0 (expected one that stays the same)");
    }
    MasterKeys keys = MasterKeys.openOrCreate(data);
    Blocks blocks = new Blocks(plan.devices(), plan.sources());
    try (BindingFiles files = BindingFiles.open(data.resolve("bindings"), keys.tableKey())) {
      Registrar registrar = new Registrar(files.table(), keys.tableKey());
      Binding row = new Binding();
      row.socket = files.numbers(List.of(plan.server()))[0];
      row.keyId = keys.newestId();
      row.generation = Fleet.GENERATION;
      row.intervalCode = plan.interval().code();
      row.sequence = nowMillis;
      row.lastSeenSeconds = nowMillis / 1000;
      long longestNanos = 0;
      for (int device = 0; device < plan.devices(); device++) {
        InetSocketAddress from =
            SourceSockets.source(
                plan.server().getAddress(), blocks.socket(Blocks.of(device)), plan.sourcePort());
        row.addressHigh = AddressBits.high(from.getAddress());
        row.addressLow = AddressBits.low(from.getAddress());
        row.port = from.getPort();
        row.tag = registrar.tag(FleetIds.of(device));
        long startNanos = nanoClock.getAsLong();
        files.table().write(row);
        longestNanos = Math.max(longestNanos, nanoClock.getAsLong() - startNanos);
        if (device % TOLD_EVERY == 0) {
          progress.at("bindings written", device, plan.devices());
        }
      }
      progress.at("bindings written", plan.devices(), plan.devices());
      return longestNanos;
    }
  }
}
