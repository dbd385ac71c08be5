package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.device.directory.Directory;
import dev.beckon.device.directory.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryFileTest {
  @TempDir private Path folder;
  private DirectoryFile file;
  private TestFleet.Credentials signer;

  @BeforeEach
  void open() throws IOException, GeneralSecurityException {
    signer = TestFleet.shared().server();
    file = new DirectoryFile(folder);
  }

  @Test
  void keepsTheLastListAcrossRestarts() throws Exception {
    assertThat(file.load()).isEqualTo(Directory.NONE);
    store(1);
    store(2);

    assertThat(new DirectoryFile(folder).load().version()).isEqualTo(2);
    assertThat(Files.getPosixFilePermissions(folder.resolve("directory")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void survivesDamageToEitherFile() throws Exception {
    store(1);
    store(2);
    for (String name : new String[] {"directory", "directory.copy"}) {
      byte[] whole = Files.readAllBytes(folder.resolve(name));
      for (int length = 0; length < whole.length; length += 7) {
        Files.write(folder.resolve(name), Arrays.copyOf(whole, length));
        assertThat(file.load().version()).as("%s cut at %d", name, length).isEqualTo(2);
      }
      for (int at = 0; at < whole.length; at += 5) {
        byte[] damaged = whole.clone();
        damaged[at] ^= 0x10;
        Files.write(folder.resolve(name), damaged);
        assertThat(file.load().version()).as("%s damaged at %d", name, at).isEqualTo(2);
      }
      Files.delete(folder.resolve(name));
      assertThat(file.load().version()).as("without %s", name).isEqualTo(2);
      Files.write(folder.resolve(name), whole);
    }
  }

  @Test
  void keepsTheNewestIfThePowerFailedBetweenTheTwo() throws Exception {
    store(1);
    byte[] old = Files.readAllBytes(folder.resolve("directory.copy"));
    store(2);
    Files.write(folder.resolve("directory.copy"), old);

    assertThat(file.load().version()).isEqualTo(2);
  }

  @Test
  void beginsAnewIfBothAreDamaged() throws Exception {
    store(1);
    Files.writeString(folder.resolve("directory"), "BKD1 nonsense");
    Files.writeString(folder.resolve("directory.copy"), "");

    assertThat(file.load()).isEqualTo(Directory.NONE);
  }

  private void store(int version) throws Exception {
    file.store(TestDirectory.sign(signer, TestDirectory.list(version, Map.of(7, "192.0.2.7"))));
  }
}
