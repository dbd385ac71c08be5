package dev.beckon.server.registrar.file;

import dev.beckon.server.registrar.RowSpace;
import dev.beckon.server.registrar.RowTable;
import dev.beckon.server.registrar.SipHash;
import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registrar's table in a folder:
 *
 * <pre>
 *   table      header, list of local addresses, directory of {@link RowTable}
 *   rows-NN    the rows of the shards that are at level NN: 1,024 rooms of equal size, of which
 *              only those in use take space on the disk
 * </pre>
 *
 * <p>All of it is mapped. The header, in little-endian:
 *
 * <pre>
 *    0   "BKNTABLE"
 *    8   version 4 | shards 4
 *   16   check of the table key: who hashes with another key would find nothing
 *   24   zeros
 *   56   CRC-32C of bytes 0 to 55, in 8 bytes
 * </pre>
 *
 * <p>Nothing is forced to the disk: the kernel has the table's pages, and keeps them when the
 * process is killed. After a power cut rows may be old or missing, whole files of them too; their
 * devices are back with their next keepalive. What is not on the disk yet is never written through
 * the mapping: room is taken by an ordinary write, which fails if the disk is full.
 */
public final class BindingFiles implements AutoCloseable {
  static final String TABLE = "table";
  static final int VERSION = 1;

  private static final Logger log = LoggerFactory.getLogger(BindingFiles.class);

  private static final long MAGIC = 0x454C_4241_544E_4B42L; // "BKNTABLE"
  private static final int HEADER_BYTES = 64;
  private static final int ADDRESSES = 4096;
  private static final int DIRECTORY = ADDRESSES + LocalAddressList.BYTES;
  private static final int TABLE_BYTES = DIRECTORY + RowTable.DIRECTORY_BYTES;
  private static final int MAX_LEVELS = 256;
  private static final int END_WAIT_SECONDS = 5;

  /**
   * Linux caches what one write brings in pieces as large as the write, and whenever a page of a
   * mapping is written anew after it went to the disk, ext4 goes through the whole piece: a quarter
   * of a busy core's time with pieces of a room's size.
   */
  private static final int PIECE_BYTES = 4096;

  private static final byte[] KEY_CHECK = "beckon table key".getBytes(StandardCharsets.US_ASCII);

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final String HOW_TO_START_AFRESH =
      "or delete this folder, and each device is known again after its next keepalive; nothing was"
          + " changed";

  /** A file of rows. */
  private static final class Level {
    final Path file;
    final Arena arena = Arena.ofShared();
    final MemorySegment rooms;
    int shards;

    Level(Path file, int number) throws IOException {
      this.file = file;
      try (FileChannel channel = writable(file)) {
        // Makes the file as long as that; no space is taken.
        rooms =
            channel.map(
                FileChannel.MapMode.READ_WRITE,
                0,
                RowTable.SHARDS * RowTable.shardBytes(number),
                arena);
      }
    }
  }

  private final Path folder;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment file;
  private final LocalAddressList addresses;
  private final @Nullable Level[] levels = new @Nullable Level[MAX_LEVELS];
  private final RowTable table;
  private final ExecutorService releasing =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("bindings").daemon().factory());

  /**
   * Opens the table in a folder; makes both if they are missing. The caller makes sure that no
   * other process has it open.
   *
   * @param tableKey 16 secret bytes, always the same for this folder
   * @throws StoreException with a message for people if the table cannot be used, or the disk is
   *     full
   */
  public static BindingFiles open(Path folder, byte[] tableKey) {
    PrivateFiles.createFolder(folder);
    long keyCheck = new SipHash(tableKey).hash(KEY_CHECK, 0, KEY_CHECK.length);
    try {
      if (!Files.exists(folder.resolve(TABLE))) {
        create(folder, keyCheck);
      }
      return new BindingFiles(folder, keyCheck);
    } catch (IOException | UncheckedIOException e) {
      throw new StoreException(
          "bindings: %s cannot be opened: %s (check the disk and the folder's owner, %s)"
              .formatted(folder, e.getMessage(), HOW_TO_START_AFRESH),
          e);
    }
  }

  private BindingFiles(Path folder, long keyCheck) throws IOException {
    this.folder = folder;
    try {
      Path path = folder.resolve(TABLE);
      if (Files.size(path) < HEADER_BYTES) {
        throw damaged("its header is cut off");
      }
      try (FileChannel channel = writable(path)) {
        file = channel.map(FileChannel.MapMode.READ_WRITE, 0, Files.size(path), arena);
      }
      checkHeader(keyCheck);
      try (DiskSpace space = DiskSpace.of(path)) {
        space.reserve(0, TABLE_BYTES); // a copy of it may have holes
      }
      addresses = new LocalAddressList(file.asSlice(ADDRESSES, LocalAddressList.BYTES));
      if (!addresses.isWhole()) {
        throw damaged("its list of local addresses");
      }
      openLevels();
      table = new RowTable(new Space());
    } catch (IOException | RuntimeException e) {
      releasing.shutdown();
      closeAll();
      throw e;
    }
  }

  private static void create(Path folder, long keyCheck) throws IOException {
    // The table is written last: without it the rest does not count.
    try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(folder, "rows-*")) {
      for (Path leftover : leftovers) {
        Files.delete(leftover);
      }
    }
    Path rows = folder.resolve(name(0));
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment content = scratch.allocate(TABLE_BYTES, 8);
      content.set(LONG, 0, MAGIC);
      content.set(INT, 8, VERSION);
      content.set(INT, 12, RowTable.SHARDS);
      content.set(LONG, 16, keyCheck);
      content.set(LONG, 56, headerCheck(content));
      RowTable.format(content.asSlice(DIRECTORY));
      PrivateFiles.createEmpty(rows);
      write(rows, 0, scratch.allocate(RowTable.SHARDS * RowTable.shardBytes(0)));
      PrivateFiles.write(folder.resolve(TABLE), content.toArray(ValueLayout.JAVA_BYTE));
    } catch (IOException | StoreException e) {
      Files.deleteIfExists(rows);
      throw new StoreException(
          "bindings: no table could be made in %s: %s (free some space: it begins with 4 MiB)"
              .formatted(folder, e.getMessage()),
          e);
    }
  }

  private void checkHeader(long keyCheck) {
    if (file.get(LONG, 0) != MAGIC) {
      throw damaged("it does not begin as a table does");
    }
    if (file.get(INT, 8) != VERSION) {
      throw new StoreException(
          "bindings: %s: version %d (expected %d: use the version of Beckon that wrote it, %s)"
              .formatted(folder.resolve(TABLE), file.get(INT, 8), VERSION, HOW_TO_START_AFRESH));
    }
    if (file.get(LONG, 56) != headerCheck(file) || file.get(INT, 12) != RowTable.SHARDS) {
      throw damaged("its header");
    }
    if (file.byteSize() != TABLE_BYTES) {
      throw damaged("%d bytes long (expected %d)".formatted(file.byteSize(), TABLE_BYTES));
    }
    if (file.get(LONG, 16) != keyCheck) {
      throw new StoreException(
          "bindings: %s: made with another table key (expected the one in master.keys: restore the"
                  .formatted(folder)
              + " file that belongs to this folder, "
              + HOW_TO_START_AFRESH
              + ")");
    }
  }

  private StoreException damaged(String what) {
    return new StoreException(
        "bindings: %s is damaged: %s (restore the folder from a backup, %s)"
            .formatted(folder.resolve(TABLE), what, HOW_TO_START_AFRESH));
  }

  private static long headerCheck(MemorySegment header) {
    CRC32C crc = new CRC32C();
    crc.update(header.asSlice(0, 56).asByteBuffer());
    return crc.getValue();
  }

  private void openLevels() throws IOException {
    int[] levelOf = new int[RowTable.SHARDS];
    MemorySegment directory = file.asSlice(DIRECTORY);
    for (int shard = 0; shard < RowTable.SHARDS; shard++) {
      levelOf[shard] = RowTable.level(directory, shard);
      if (levelOf[shard] < 0) {
        throw damaged("its directory");
      }
    }
    for (int number : levelOf) {
      Level level = levels[number];
      if (level == null) {
        Path rows = folder.resolve(name(number));
        boolean missing = !Files.exists(rows);
        if (missing) {
          PrivateFiles.createEmpty(rows);
          for (int shard = 0; shard < RowTable.SHARDS; shard++) {
            if (levelOf[shard] == number) {
              RowTable.forgetRows(directory, shard);
            }
          }
        }
        if (missing || Files.size(rows) != RowTable.SHARDS * RowTable.shardBytes(number)) {
          log.warn(
              "bindings: {} is {}, as after a power cut; its devices are known again after their"
                  + " next keepalive",
              rows,
              missing ? "missing" : "cut off");
        }
        level = new Level(rows, number);
        levels[number] = level;
      }
      level.shards++;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "rows-*")) {
      for (Path rows : files) {
        Level level = levelIn(rows);
        if (level == null) {
          Files.delete(rows);
        } else {
          takeExactly(level, levelOf);
        }
      }
    }
  }

  private @Nullable Level levelIn(Path rows) {
    for (Level level : levels) {
      if (level != null && level.file.equals(rows)) {
        return level;
      }
    }
    return null;
  }

  /** Takes the space of the shards that are here, and gives back that of those that left. */
  private void takeExactly(Level level, int[] levelOf) throws IOException {
    try (DiskSpace space = DiskSpace.of(level.file)) {
      for (int shard = 0; shard < RowTable.SHARDS; shard++) {
        long bytes = level.rooms.byteSize() / RowTable.SHARDS;
        if (levels[levelOf[shard]] == level) {
          space.reserve(shard * bytes, bytes);
        } else {
          space.release(shard * bytes, bytes);
        }
      }
    }
  }

  private synchronized Level enter(int number) throws IOException {
    Level level = levels[number];
    if (level == null) {
      Path rows = folder.resolve(name(number));
      PrivateFiles.createEmpty(rows);
      level = new Level(rows, number);
      levels[number] = level;
    }
    level.shards++;
    return level;
  }

  private synchronized void leave(Level level) {
    level.shards--;
  }

  /** Called by one thread only. */
  private void releaseNow(int shard, int number) {
    Level level = levels[number];
    if (level == null) {
      return;
    }
    leave(level);
    try (DiskSpace space = DiskSpace.of(level.file)) {
      long bytes = RowTable.shardBytes(number);
      space.release(shard * bytes, bytes);
      for (Level unused : takeUnused()) {
        unused.arena.close();
        Files.delete(unused.file);
      }
    } catch (IOException e) {
      log.warn("bindings: {} keeps space that it no longer needs", level.file, e);
    }
  }

  /** The levels that no shard is at or will ever come to: shards only move up. */
  private synchronized List<Level> takeUnused() {
    List<Level> unused = new ArrayList<>();
    for (int number = 0; number < levels.length; number++) {
      Level level = levels[number];
      if (level != null && level.shards > 0) {
        break;
      }
      if (level != null) {
        levels[number] = null;
        unused.add(level);
      }
    }
    return unused;
  }

  public RowTable table() {
    return table;
  }

  /**
   * The numbers by which bindings refer to these local addresses, in their order. New addresses get
   * new numbers; if there are none left, those of all other addresses are freed, and bindings that
   * refer to them lose their socket.
   *
   * @throws StoreException if these are too many
   */
  public int[] numbers(List<InetSocketAddress> local) {
    if (local.size() > LocalAddressList.FORGOTTEN) {
      throw new StoreException(
          "udp: %d addresses (expected at most %d)"
              .formatted(local.size(), LocalAddressList.FORGOTTEN));
    }
    boolean full = local.stream().anyMatch(address -> addresses.number(address) < 0);
    if (full) {
      List<Integer> vanished = new ArrayList<>();
      for (int number = 0; number < LocalAddressList.FORGOTTEN; number++) {
        if (!addresses.address(number).filter(local::contains).isPresent()) {
          vanished.add(number);
        }
      }
      // In this order: a number must not get a new meaning while rows have it.
      table.renumberSockets(vanished::contains, LocalAddressList.FORGOTTEN);
      vanished.forEach(addresses::forget);
    }
    return local.stream().mapToInt(addresses::number).toArray();
  }

  /** The local address with this number; empty if it is forgotten. */
  public Optional<InetSocketAddress> address(int number) {
    return addresses.address(number);
  }

  /** Ends the use of the table; from then on it finds and keeps nothing. */
  @Override
  public void close() {
    table.close();
    releasing.shutdown();
    try {
      if (!releasing.awaitTermination(END_WAIT_SECONDS, TimeUnit.SECONDS)) {
        return; // the disk stands still; the next opening gives back what is left
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    closeAll();
  }

  private synchronized void closeAll() {
    for (Level level : levels) {
      if (level != null) {
        level.arena.close();
      }
    }
    arena.close();
  }

  private static String name(int level) {
    return "rows-%02d".formatted(level);
  }

  private static FileChannel writable(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /** In pieces of a page: see {@link #PIECE_BYTES}. */
  private static void write(Path file, long offset, MemorySegment content) throws IOException {
    try (FileChannel channel = writable(file)) {
      ByteBuffer rest = content.asByteBuffer();
      int end = rest.limit();
      while (rest.position() < end) {
        rest.limit(Math.min(end, rest.position() + PIECE_BYTES));
        channel.write(rest, offset + rest.position());
      }
    }
  }

  /** What the table sees of the files. */
  private final class Space implements RowSpace {
    @Override
    public MemorySegment directory() {
      return file.asSlice(DIRECTORY);
    }

    @Override
    public MemorySegment rows(int shard, int level) {
      return room(levels[level], shard, level);
    }

    @Override
    public MemorySegment place(int shard, int number, MemorySegment content) throws IOException {
      Level level = null;
      try {
        level = enter(number);
        write(level.file, shard * content.byteSize(), content);
        return room(level, shard, number);
      } catch (IOException | StoreException | OutOfMemoryError e) {
        if (level != null) {
          leave(level);
        }
        log.error(
            "bindings: the table cannot grow: {} ({}; known devices stay reachable, new ones will"
                + " not be once it is full)",
            e.getMessage(),
            e instanceof OutOfMemoryError
                ? "give the server more memory"
                : "free some space on the disk of " + folder);
        throw e instanceof IOException io ? io : new IOException(e);
      }
    }

    @Override
    public void cannotGrow(OutOfMemoryError why) {
      log.error(
          "bindings: the table cannot grow: {} (give the server more memory; known devices stay"
              + " reachable, new ones will not be once it is full)",
          why.getMessage());
    }

    @Override
    public void release(int shard, int number) {
      // By another thread: some file systems write out what is to be dropped, and wait for the
      // disk.
      releasing.execute(() -> releaseNow(shard, number));
    }

    private MemorySegment room(@Nullable Level level, int shard, int number) {
      if (level == null) {
        throw new IllegalStateException("no level " + number);
      }
      long bytes = RowTable.shardBytes(number);
      return level.rooms.asSlice(shard * bytes, bytes);
    }
  }
}
