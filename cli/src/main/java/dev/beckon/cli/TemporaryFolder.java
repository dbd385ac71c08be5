package dev.beckon.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A folder that is deleted when it is closed, with all that is in it.
 *
 * @param path where it is
 */
record TemporaryFolder(Path path) implements AutoCloseable {

  static TemporaryFolder create(String prefix) throws IOException {
    return new TemporaryFolder(Files.createTempDirectory(prefix));
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw FailureException.failed(
          path + ": " + Failures.of(e), "it is not needed any more: delete it by hand");
    }
  }
}
