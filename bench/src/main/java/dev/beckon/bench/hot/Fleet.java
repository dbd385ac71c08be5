package dev.beckon.bench.hot;

import dev.beckon.lab.fleet.FleetIds;
import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.registrar.file.BindingFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A table in a temporary folder with a row for each device of a fleet; gone when closed. */
final class Fleet implements AutoCloseable {
  static final int PORT = 40_000;
  private static final byte[] TABLE_KEY = new byte[16];

  final BindingFiles files;
  final Registrar registrar;
  private final Path folder;

  Fleet(int devices) throws IOException {
    folder = Files.createTempDirectory("beckon-bench");
    files = BindingFiles.open(folder.resolve("bindings"), TABLE_KEY);
    registrar = new Registrar(files.table(), TABLE_KEY);
    Binding row = new Binding();
    for (int device = 0; device < devices; device++) {
      row.tag = registrar.tag(FleetIds.of(device));
      row.sequence = 1;
      row.keyId = Keepalives.KEY_ID;
      row.generation = Keepalives.GENERATION;
      row.addressLow = address(device);
      row.port = PORT;
      files.table().write(row);
    }
  }

  /** Low half of the address that a device has, one of its own in 10.0.0.0/8. */
  static long address(int device) {
    return AddressBits.ipv4(10 << 24 | device);
  }

  @Override
  public void close() throws IOException {
    files.close();
    List<Path> left;
    try (Stream<Path> tree = Files.walk(folder)) {
      left = tree.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path each : left) {
      Files.deleteIfExists(each);
    }
  }
}
