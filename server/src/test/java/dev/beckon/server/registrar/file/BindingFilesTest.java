package dev.beckon.server.registrar.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.RowTable;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BindingFilesTest {
  static final byte[] KEY = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  private static final InetSocketAddress FIRST = new InetSocketAddress("198.51.100.1", 3478);
  private static final InetSocketAddress SECOND = new InetSocketAddress("198.51.100.2", 3478);
  private static final InetSocketAddress THIRD = new InetSocketAddress("2001:db8::3", 3478);

  @TempDir private Path temp;
  private Path folder = Path.of("");
  private final Binding row = new Binding();

  @BeforeEach
  void chooseFolder() {
    folder = temp.resolve("bindings");
  }

  private BindingFiles open() {
    return BindingFiles.open(folder, KEY);
  }

  private void write(RowTable table, long tag, long sequence) {
    row.tag = tag;
    row.sequence = sequence;
    table.write(row);
  }

  @Test
  void startsSmallAndPrivate() throws IOException {
    open().close();

    try (Stream<Path> files = Files.list(folder)) {
      List<Path> all = files.toList();
      long bytes = 0;
      for (Path file : all) {
        bytes += Files.size(file);
        assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
      }
      assertThat(all).hasSize(2);
      assertThat(bytes).isLessThan(5_000_000);
    }
  }

  @Test
  void knowsItsRowsWhenOpenedAgain() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    int rows = 100_000;
    try (BindingFiles files = open()) {
      Random random = new Random(seed);
      for (int i = 0; i < rows; i++) {
        write(files.table(), random.nextLong(), i);
      }
    }
    try (BindingFiles files = open()) {
      assertThat(files.table().size()).isEqualTo(rows);
      Random random = new Random(seed);
      for (int i = 0; i < rows; i++) {
        assertThat(files.table().read(random.nextLong(), row)).as("seed %d", seed).isTrue();
        assertThat(row.sequence).isEqualTo(i);
      }
      assertThat(files.table().torn()).isZero();
    }
  }

  @Test
  void rowsAreFetchedWhileTheTableGrows() {
    BindingFiles files = open();
    Random random = new Random(1);
    long[] tags = new long[64];
    for (int i = 0; i < 300_000; i++) {
      tags[i % 64] = random.nextLong();
      if (i % 64 == 63) {
        files.table().fetch(tags, 64);
      }
      write(files.table(), tags[i % 64], i);
    }
    files.table().fetch(tags, 64);
    for (long tag : tags) {
      assertThat(files.table().read(tag, row)).isTrue();
    }
    assertThat(files.table().size()).isEqualTo(300_000);
    files.close();
    files.table().fetch(tags, 64); // as a socket may that is closed after the table
  }

  @Test
  void takesTheSpaceOfATableThatWasCopiedWithHoles() throws IOException {
    open().close();
    Path table = folder.resolve("table");
    byte[] content = Files.readAllBytes(table);
    Files.delete(table);
    try (RandomAccessFile sparse = new RandomAccessFile(table.toFile(), "rw")) {
      sparse.setLength(content.length);
      for (int at = 0; at < content.length; at += 4096) {
        byte[] page = Arrays.copyOfRange(content, at, Math.min(at + 4096, content.length));
        if (!Arrays.equals(page, new byte[page.length])) {
          sparse.seek(at);
          sparse.write(page);
        }
      }
    }

    long before = spaceOnDisk();
    try (BindingFiles files = open()) {
      assertThat(spaceOnDisk()).isGreaterThan(before + 50_000);
      write(files.table(), 7, 1);
    }
  }

  @Test
  void keepsNoFileThatNoShardNeeds() throws IOException {
    try (BindingFiles files = open()) {
      Random random = new Random(1);
      for (int i = 0; i < 200_000; i++) {
        write(files.table(), random.nextLong(), i);
      }
    }

    assertThat(folder.resolve("rows-00")).doesNotExist();
    assertThat(spaceOnDisk()).isLessThan(200_000 * 64L * 4);
  }

  /** What stat(1) counts, in blocks of 512 bytes: holes do not. */
  private long spaceOnDisk() throws IOException {
    Process du =
        new ProcessBuilder("du", "-s", "--block-size=1", folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    return Long.parseLong(
        new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII)
            .split("\\s")[0]);
  }

  @Test
  void openedWhileNotClosedItIsAsItStands() throws IOException {
    BindingFiles left = open();
    write(left.table(), 7, 1);
    Path copy = temp.resolve("copy");
    Files.createDirectory(copy);
    for (String name : List.of("table", "rows-00")) {
      Files.copy(folder.resolve(name), copy.resolve(name));
    }
    left.close();

    try (BindingFiles files = BindingFiles.open(copy, KEY)) {
      assertThat(files.table().read(7, row)).isTrue();
    }
  }

  @Test
  void refusesATableOfAnotherKey() {
    open().close();

    byte[] other = Arrays.copyOf(KEY, 16);
    other[3]++;
    assertThatThrownBy(() -> BindingFiles.open(folder, other))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("another table key (expected the one in master.keys")
        .hasMessageContaining("delete this folder");
    open().close();
  }

  @Test
  void refusesANewerVersion() throws IOException {
    open().close();
    patch("table", 8, 2);

    assertThatThrownBy(this::open)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("version 2 (expected 1");
  }

  @Test
  void refusesWhatIsDamaged() throws IOException {
    for (int at : List.of(0, 12, 17, 56, 4096 + 16, 12_288, 12_288 + 8 * 1023)) {
      folder = temp.resolve("damaged-" + at);
      open().close();
      patch("table", at, 0x55);

      assertThatThrownBy(this::open)
          .as("byte %d", at)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("damaged")
          .hasMessageContaining("delete this folder");
    }
  }

  @Test
  void afterALostFileOfRowsTheirDevicesAreNewAgain() throws IOException {
    try (BindingFiles files = open()) {
      write(files.table(), 7, 1);
      write(files.table(), -1, 1);
    }
    Files.delete(folder.resolve("rows-00"));

    try (BindingFiles files = open()) {
      assertThat(files.table().size()).isZero();
      assertThat(files.table().read(7, row)).isFalse();
      write(files.table(), 7, 2);
    }
    try (BindingFiles files = open()) {
      assertThat(files.table().read(7, row)).isTrue();
      assertThat(files.table().size()).isEqualTo(1);
    }
  }

  @Test
  void refusesACutTable() throws IOException {
    open().close();
    for (int length : List.of(0, 63, 5000)) {
      try (RandomAccessFile file = new RandomAccessFile(folder.resolve("table").toFile(), "rw")) {
        file.setLength(length);
      }
      assertThatThrownBy(this::open)
          .as("%d bytes", length)
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("damaged");
    }
  }

  @Test
  void rowsThatNeverReachedTheDiskAreNoRows() throws IOException {
    try (BindingFiles files = open()) {
      write(files.table(), 7, 1);
      write(files.table(), -1, 1);
    }
    try (RandomAccessFile file = new RandomAccessFile(folder.resolve("rows-00").toFile(), "rw")) {
      file.setLength(8192);
    }

    try (BindingFiles files = open()) {
      assertThat(files.table().read(7, row)).isTrue();
      assertThat(files.table().read(-1, row)).isFalse();
      write(files.table(), -1, 2);
      assertThat(files.table().read(-1, row)).isTrue();
    }
  }

  private void patch(String name, int at, int value) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
      file.seek(at);
      file.write(value);
    }
  }

  @Test
  void localAddressesKeepTheirNumbersInAnyOrder() {
    try (BindingFiles files = open()) {
      assertThat(files.numbers(List.of(FIRST, SECOND))).containsExactly(0, 1);
    }
    try (BindingFiles files = open()) {
      assertThat(files.numbers(List.of(THIRD, SECOND))).containsExactly(2, 1);
      assertThat(files.address(0)).contains(FIRST);
      assertThat(files.address(2)).contains(THIRD);
      assertThat(files.address(3)).isEmpty();
    }
  }

  @Test
  void forgetsVanishedAddressesWhenThereIsNoNumberLeft() {
    List<InetSocketAddress> many = new ArrayList<>();
    for (int i = 0; i < 254; i++) {
      many.add(new InetSocketAddress("198.51.100.9", 1000 + i));
    }
    try (BindingFiles files = open()) {
      assertThat(files.numbers(List.of(FIRST))).containsExactly(0);
      files.numbers(many);
      row.socket = 0;
      write(files.table(), 7, 1);
      row.socket = 3;
      write(files.table(), 8, 1);

      assertThat(files.numbers(List.of(SECOND, FIRST))).containsExactly(1, 0);

      assertThat(files.table().read(7, row)).isTrue();
      assertThat(row.socket).isZero();
      assertThat(files.table().read(8, row)).isTrue();
      assertThat(row.socket).isEqualTo(255);
      assertThat(files.address(255)).isEmpty();
      assertThat(files.address(3)).isEmpty();
    }
  }
}
