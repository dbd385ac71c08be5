package dev.beckon.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PrivateFilesTest {

  @TempDir private Path temp;

  @Test
  void writesForItsOwnerOnly() throws IOException {
    Path file = temp.resolve("key");

    PrivateFiles.write(file, new byte[] {1, 2});

    assertThat(file).hasBinaryContent(new byte[] {1, 2});
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void replacesAFileAndLeavesNothingElse() throws IOException {
    Path file = Files.writeString(temp.resolve("key"), "old and longer");
    Files.writeString(temp.resolve(".key.new"), "left behind by a crash");

    PrivateFiles.write(file, new byte[] {3});

    assertThat(file).hasBinaryContent(new byte[] {3});
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (Stream<Path> files = Files.list(temp)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void findsNoContentWhereThereIsNoFile() {
    assertThat(PrivateFiles.read(temp.resolve("key"), 10)).isEmpty();
  }

  @Test
  void refusesAFileThatIsTooLong() throws IOException {
    Path file = Files.write(temp.resolve("key"), new byte[11]);

    assertThatThrownBy(() -> PrivateFiles.read(file, 10))
        .isInstanceOf(StoreException.class)
        .hasMessage(
            file
                + ": damaged: longer than 10 bytes (restore it from a backup; nothing was"
                + " overwritten)");
  }

  @Test
  void saysWhyAFileCannotBeRead() throws IOException {
    Path file = Files.createDirectory(temp.resolve("key"));

    assertThatThrownBy(() -> PrivateFiles.read(file, 10))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith(file + ": cannot be read: ");
  }

  @Test
  void saysWhyAFileCannotBeWritten() {
    Path file = temp.resolve("missing/key");

    assertThatThrownBy(() -> PrivateFiles.write(file, new byte[1]))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith(file + ": cannot be written: no such folder");
  }
}
