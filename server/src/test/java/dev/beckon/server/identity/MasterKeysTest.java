package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MasterKeysTest {

  @TempDir private Path temp;

  @Test
  void areMadeOnceAndKeptPrivate() throws IOException {
    MasterKeys first = MasterKeys.openOrCreate(temp);
    MasterKeys again = MasterKeys.openOrCreate(temp);

    assertThat(first.newestId()).isEqualTo(1);
    assertThat(first.key(1)).hasSize(32).isEqualTo(again.key(1)).isEqualTo(first.newest().key());
    assertThat(first.tableKey()).hasSize(16).isEqualTo(again.tableKey());
    assertThat(first.pathTokenKey()).hasSize(16).isEqualTo(again.pathTokenKey());
    assertThat(first.tableKey()).isNotEqualTo(first.pathTokenKey());
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(temp.resolve("master.keys"))))
        .isEqualTo("rw-------");
  }

  @Test
  void knowsNoKeyOfAnotherId() {
    MasterKeys keys = MasterKeys.openOrCreate(temp);

    for (int id : new int[] {-1, 0, 2, 255, 256}) {
      assertThat(keys.key(id)).as("key %d", id).isNull();
    }
  }

  @Test
  void readsTwoLiveKeys() throws IOException {
    write(
        """
        key.1 = %s
        key.255 = %s
        table-key = %s
        path-token-key = %s
        """
            .formatted("01".repeat(32), "02".repeat(32), "03".repeat(16), "04".repeat(16)));

    MasterKeys keys = MasterKeys.openOrCreate(temp);

    assertThat(keys.newestId()).isEqualTo(255);
    assertThat(keys.key(1)).containsOnly(1);
    assertThat(keys.key(255)).containsOnly(2);
    assertThat(keys.tableKey()).containsOnly(3);
    assertThat(keys.pathTokenKey()).containsOnly(4);
  }

  private void write(String lines) throws IOException {
    byte[] hash = FleetCa.sha256(lines.getBytes(StandardCharsets.US_ASCII));
    String checksum = HexFormat.of().formatHex(Arrays.copyOf(hash, 8));
    Files.writeString(temp.resolve("master.keys"), lines + "checksum = " + checksum + "\n");
  }

  @Test
  void leavesAFileWithOneChangedCharacterAsItIs() throws IOException {
    MasterKeys.openOrCreate(temp);
    Path file = temp.resolve("master.keys");
    String good = Files.readString(file);

    // The last one is only the end of the last line.
    for (int at = 0; at < good.length() - 1; at++) {
      char other = good.charAt(at) == '0' ? '1' : '0';
      String bad = good.substring(0, at) + other + good.substring(at + 1);
      Files.writeString(file, bad);

      assertThatThrownBy(() -> MasterKeys.openOrCreate(temp))
          .as("character %d", at)
          .isInstanceOf(StoreException.class)
          .hasMessageStartingWith(file + ": damaged: ")
          .hasMessageEndingWith("(restore it from a backup; nothing was overwritten)");
      assertThat(file).hasContent(bad);
    }
  }

  @Test
  void refusesAFileWithoutAllKeysAndRepeatsNoneInTheMessage() throws IOException {
    String key = "5e".repeat(32);
    String table = "table-key = " + "03".repeat(16) + "\n";
    String token = "path-token-key = " + "04".repeat(16) + "\n";
    for (String lines :
        List.of(
            "",
            table + token,
            "key.1 = " + key + "\n" + table,
            "key.0 = " + key + "\n" + table + token,
            "key.256 = " + key + "\n" + table + token,
            "key.x = " + key + "\n" + table + token,
            "key.1 = " + key + "5e\n" + table + token,
            "key.1 = " + "5g".repeat(32) + "\n" + table + token)) {
      write(lines);

      assertThatThrownBy(() -> MasterKeys.openOrCreate(temp))
          .as(lines)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining(": damaged: ")
          .hasMessageNotContaining("5e5e")
          .hasMessageNotContaining("5g5g");
    }
  }
}
