package dev.beckon.device.command;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.session.Update;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The journal as an append-only file.
 *
 * <pre>
 *   file    "BKJ1", then records
 *   record  length of the rest 4 | CRC-32 of what follows it 4 | kind 1 | deadline 8 | payload
 *           kind 1: payload = serialized Update; kind 2 (forgotten): payload = command ID
 *           kinds 3 and 4: the same, of another server than 0; payload begins with its number 2
 * </pre>
 *
 * <p>All numbers are big-endian. A record that a power cut tore apart is skipped, and what follows
 * a damaged one is still read. Once the file has grown past a limit and most of it is history, it
 * is written anew beside itself and renamed. A lock file keeps a second process out.
 *
 * <p>Not thread-safe; owned by the thread that handles commands.
 */
public final class FileJournal implements Journal, AutoCloseable {
  private static final byte[] MAGIC = "BKJ1".getBytes(StandardCharsets.US_ASCII);
  private static final byte KIND_ENTRY = 1;
  private static final byte KIND_FORGOTTEN = 2;
  private static final byte KIND_ENTRY_OF_SERVER = 3;
  private static final byte KIND_FORGOTTEN_OF_SERVER = 4;
  private static final int SERVER_BYTES = 2;
  private static final int HEAD_BYTES = 8;
  private static final int MIN_REST_BYTES = 4 + 1 + 8;

  /** An Update fits a frame of 64 KiB. */
  private static final int MAX_REST_BYTES = MIN_REST_BYTES + SERVER_BYTES + 65_536;

  /** Small enough to read in a moment, large enough that a rewrite is rare: ~1,000 commands. */
  static final int COMPACTION_BYTES = 256 * 1024;

  private final Path path;
  private final FileChannel lockChannel;
  private final Map<CommandKey, Entry> live = new LinkedHashMap<>();
  private @Nullable FileChannel channel;
  private long goodBytes;
  private long liveBytes;

  private FileJournal(Path path, FileChannel lockChannel) {
    this.path = path;
    this.lockChannel = lockChannel;
  }

  /**
   * Opens the journal, and makes an empty one if there is none.
   *
   * @throws IOException if it cannot be read, or is in use by another process
   */
  public static FileJournal open(Path path) throws IOException {
    FileChannel lockChannel =
        FileChannel.open(
            path.resolveSibling(path.getFileName() + ".lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE);
    FileJournal journal = new FileJournal(path, lockChannel);
    try {
      lock(path, lockChannel);
      if (Files.exists(path)) {
        journal.read(ByteBuffer.wrap(Files.readAllBytes(path)));
      }
      journal.liveBytes = journal.live.values().stream().mapToLong(FileJournal::sizeOf).sum();
      return journal;
    } catch (IOException | RuntimeException e) {
      lockChannel.close();
      throw e;
    }
  }

  private static void lock(Path path, FileChannel lockChannel) throws IOException {
    FileLock lock;
    try {
      lock = lockChannel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      throw new IOException(
          "data: "
              + path.toAbsolutePath().getParent()
              + " (in use by another device; stop it, or use another data folder)");
    }
  }

  @Override
  public Collection<Entry> entries() {
    return List.copyOf(live.values());
  }

  @Override
  public void write(Entry entry) throws IOException {
    append(record(entry));
    Entry former = live.put(entry.key(), entry);
    liveBytes += sizeOf(entry) - (former == null ? 0 : sizeOf(former));
    compactIfWorthwhile();
  }

  @Override
  public void forget(CommandKey key) throws IOException {
    Entry former = live.remove(key);
    if (former == null) {
      return;
    }
    liveBytes -= sizeOf(former);
    byte[] commandId = key.commandId().getBytes(StandardCharsets.UTF_8);
    append(record(KIND_FORGOTTEN, KIND_FORGOTTEN_OF_SERVER, key.server(), 0, commandId));
    compactIfWorthwhile();
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
    lockChannel.close();
  }

  /** Reads all that is whole; {@code goodBytes} is where the next record belongs. */
  private void read(ByteBuffer file) throws IOException {
    if (file.remaining() < MAGIC.length) {
      return; // torn when it was made
    }
    if (file.getInt(0) != ByteBuffer.wrap(MAGIC).getInt()) {
      throw new IOException(
          "journal: " + path + " (expected a file that begins with BKJ1; move it away)");
    }
    int position = MAGIC.length;
    goodBytes = position;
    while (position + HEAD_BYTES <= file.limit()) {
      int rest = file.getInt(position);
      if (rest < MIN_REST_BYTES
          || rest > MAX_REST_BYTES
          || position + 4 + rest > file.limit()
          || !take(file.slice(position + 4, rest))) {
        position++; // torn or damaged: look for the next whole record
        continue;
      }
      position += 4 + rest;
      goodBytes = position;
    }
  }

  private boolean take(ByteBuffer rest) {
    int expected = rest.getInt();
    CRC32 crc = new CRC32();
    crc.update(rest.duplicate());
    if ((int) crc.getValue() != expected) {
      return false;
    }
    byte kind = rest.get();
    long deadlineMillis = rest.getLong();
    boolean named = kind == KIND_ENTRY_OF_SERVER || kind == KIND_FORGOTTEN_OF_SERVER;
    if (named && rest.remaining() < SERVER_BYTES) {
      return false;
    }
    int server = named ? Short.toUnsignedInt(rest.getShort()) : 0;
    byte[] payload = new byte[rest.remaining()];
    rest.get(payload);
    if (kind == KIND_FORGOTTEN || kind == KIND_FORGOTTEN_OF_SERVER) {
      live.remove(new CommandKey(server, new String(payload, StandardCharsets.UTF_8)));
    } else if (kind == KIND_ENTRY || kind == KIND_ENTRY_OF_SERVER) {
      try {
        Entry entry = new Entry(server, deadlineMillis, Update.parseFrom(payload));
        live.put(entry.key(), entry);
      } catch (InvalidProtocolBufferException e) {
        return false;
      }
    }
    return true;
  }

  private void append(ByteBuffer bytes) throws IOException {
    FileChannel file = openForWriting();
    try {
      long end = goodBytes;
      int length = bytes.remaining();
      while (bytes.hasRemaining()) {
        end += file.write(bytes, end);
      }
      file.force(false);
      goodBytes += length;
    } catch (IOException e) {
      // What was written of the record, if anything, is overwritten by the next one.
      file.close();
      channel = null;
      throw e;
    }
  }

  private FileChannel openForWriting() throws IOException {
    FileChannel file = channel;
    if (file != null) {
      return file;
    }
    boolean fresh = !Files.exists(path) || goodBytes == 0;
    file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (fresh) {
        file.write(ByteBuffer.wrap(MAGIC), 0);
        goodBytes = MAGIC.length;
      }
      file.truncate(goodBytes);
      file.force(true);
      if (fresh) {
        forceFolder();
      }
    } catch (IOException e) {
      file.close();
      throw e;
    }
    channel = file;
    return file;
  }

  private void compactIfWorthwhile() {
    if (goodBytes < COMPACTION_BYTES || goodBytes < 2 * liveBytes) {
      return;
    }
    try {
      compact();
    } catch (IOException e) {
      // The old file is whole and stays in use; the next record brings the next try.
    }
  }

  private void compact() throws IOException {
    Path fresh = path.resolveSibling(path.getFileName() + ".new");
    long size = MAGIC.length;
    try (FileChannel file =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(MAGIC));
      for (Entry entry : live.values()) {
        ByteBuffer bytes = record(entry);
        while (bytes.hasRemaining()) {
          size += file.write(bytes);
        }
      }
      file.force(true);
    }
    if (channel != null) {
      channel.close();
      channel = null;
    }
    Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    goodBytes = size;
    forceFolder();
  }

  private void forceFolder() throws IOException {
    Path folder = path.toAbsolutePath().getParent();
    if (folder != null) {
      try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
        directory.force(true);
      }
    }
  }

  private static ByteBuffer record(Entry entry) {
    return record(
        KIND_ENTRY,
        KIND_ENTRY_OF_SERVER,
        entry.server(),
        entry.deadlineMillis(),
        entry.update().toByteArray());
  }

  private static ByteBuffer record(
      byte kind, byte kindOfServer, int server, long deadlineMillis, byte[] payload) {
    int rest = MIN_REST_BYTES + serverBytes(server) + payload.length;
    ByteBuffer bytes = ByteBuffer.allocate(4 + rest);
    bytes.putInt(rest).putInt(0).put(server == 0 ? kind : kindOfServer).putLong(deadlineMillis);
    if (server != 0) {
      bytes.putShort((short) server);
    }
    bytes.put(payload);
    CRC32 crc = new CRC32();
    crc.update(bytes.array(), HEAD_BYTES, rest - 4);
    bytes.putInt(4, (int) crc.getValue());
    return bytes.flip();
  }

  private static int serverBytes(int server) {
    return server == 0 ? 0 : SERVER_BYTES;
  }

  private static long sizeOf(Entry entry) {
    return 4L + MIN_REST_BYTES + serverBytes(entry.server()) + entry.update().getSerializedSize();
  }
}
