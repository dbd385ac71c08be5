package dev.beckon.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a second server away from a data folder. The kernel gives the lock back when the process
 * ends, however it ends, so nothing has to be cleaned up by hand.
 */
final class FolderLock implements AutoCloseable {

  /**
   * Folders locked by this process. The kernel's lock cannot tell: it belongs to the process, and
   * closing any handle of the file would release it.
   */
  private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Locks the folder, which exists.
   *
   * @throws StoreException if it is locked or not writable
   */
  static FolderLock acquire(Path folder) {
    Path real;
    try {
      real = folder.toRealPath();
    } catch (IOException e) {
      throw PrivateFiles.notWritable(folder, e);
    }
    if (!OURS.add(real)) {
      throw inUse(folder, Long.toString(ProcessHandle.current().pid()));
    }
    try {
      return new FolderLock(real, lock(real.resolve("server.lock"), folder));
    } catch (IOException e) {
      OURS.remove(real);
      throw PrivateFiles.notWritable(folder, e);
    } catch (StoreException e) {
      OURS.remove(real);
      throw e;
    }
  }

  private static FileChannel lock(Path file, Path folder) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    @Nullable FileLock lock = null;
    try {
      lock = channel.tryLock();
      if (lock == null) {
        throw inUse(folder, Files.readString(file).strip());
      }
      channel.truncate(0);
      long pid = ProcessHandle.current().pid();
      channel.write(ByteBuffer.wrap((pid + "\n").getBytes(StandardCharsets.US_ASCII)));
      return channel;
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
  }

  /**
   * @param process what stands in the lock file: empty while its owner is about to write it
   */
  private static StoreException inUse(Path folder, String process) {
    return new StoreException(
        "data: "
            + folder
            + " (in use by "
            + (process.isEmpty() ? "another process" : "process " + process)
            + "; stop that server or choose another folder with --data)");
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // The process's end releases it too.
    } finally {
      OURS.remove(folder);
    }
  }
}
