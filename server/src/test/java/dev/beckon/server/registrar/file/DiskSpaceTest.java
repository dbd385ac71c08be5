package dev.beckon.server.registrar.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class DiskSpaceTest {
  private static final int BYTES = 1 << 20;

  /** Input/output error. */
  private static final int EIO = 5;

  private static final int EOPNOTSUPP = 95;

  @TempDir private Path folder;

  /** A file with holes, and with a few bytes here and there. */
  private Path sparse() throws IOException {
    Path file = folder.resolve("rows");
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    try (RandomAccessFile writing = new RandomAccessFile(file.toFile(), "rw")) {
      writing.setLength(BYTES);
      for (int i = 0; i < 20; i++) {
        writing.seek(random.nextInt(BYTES));
        writing.write(1 + random.nextInt(255));
      }
    }
    return file;
  }

  private static long bytesOnDisk(Path file) throws IOException {
    Process stat = new ProcessBuilder("stat", "--format=%b", file.toString()).start();
    String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return Long.parseLong(blocks.strip()) * 512;
  }

  @Test
  void reservesWhatIsMissing() throws IOException {
    Path file = sparse();
    byte[] content = Files.readAllBytes(file);
    try (DiskSpace space = DiskSpace.of(file)) {
      space.reserve(0, BYTES);
    }

    assertThat(bytesOnDisk(file)).isGreaterThanOrEqualTo(BYTES);
    assertThat(Files.readAllBytes(file)).isEqualTo(content);
  }

  @Test
  void whereTheFileSystemCannotItWritesZerosIntoTheHoles() throws IOException {
    Path file = sparse();
    byte[] content = Files.readAllBytes(file);
    assertThat(bytesOnDisk(file)).isLessThan(BYTES / 2);
    assertThat(DiskSpace.isReserved(EOPNOTSUPP)).isFalse();

    DiskSpace.fillHoles(file, 0, BYTES / 2);
    DiskSpace.fillHoles(file, BYTES / 2, BYTES / 2);

    assertThat(bytesOnDisk(file)).isGreaterThanOrEqualTo(BYTES);
    assertThat(Files.readAllBytes(file)).isEqualTo(content);
  }

  @Test
  void tellsEveryOtherError() throws IOException {
    assertThatThrownBy(() -> DiskSpace.isReserved(EIO))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("error 5");
    try (DiskSpace space = DiskSpace.of(sparse())) {
      assertThatThrownBy(() -> space.reserve(1L << 62, BYTES)) // no file can be that large
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot be reserved");
    }
  }
}
