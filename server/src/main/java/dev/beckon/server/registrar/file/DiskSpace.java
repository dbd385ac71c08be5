package dev.beckon.server.registrar.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Takes and gives back the disk space of parts of a file, by Linux's own calls; the JDK has none.
 * Elsewhere it does nothing: files then keep what they no longer need until they are deleted.
 */
final class DiskSpace implements AutoCloseable {
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int KEEP_SIZE_AND_PUNCH_HOLE = 1 | 2;
  private static final int EINTR = 4;
  private static final int EINVAL = 22;
  private static final int ENOSPC = 28;
  private static final int ENOSYS = 38;
  private static final int EOPNOTSUPP = 95;
  private static final int EDQUOT = 122;

  /** No file system has smaller blocks. */
  private static final int SMALLEST_BLOCK_BYTES = 512;

  private static final int PIECE_BYTES = 128 * SMALLEST_BLOCK_BYTES;

  private static final @Nullable Calls CALLS = Calls.find();

  private record Calls(
      MethodHandle open, MethodHandle reserve, MethodHandle punch, MethodHandle close) {

    @SuppressWarnings("restricted") // native access is what this class is for
    static @Nullable Calls find() {
      boolean linux =
          System.getProperty("os.name").equals("Linux")
              && System.getProperty("os.arch").toLowerCase(Locale.ROOT).matches("amd64|aarch64");
      if (!linux) {
        return null;
      }
      Linker linker = Linker.nativeLinker();
      ValueLayout.OfInt i = ValueLayout.JAVA_INT;
      ValueLayout.OfLong l = ValueLayout.JAVA_LONG;
      return new Calls(
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("open"),
              FunctionDescriptor.of(i, ValueLayout.ADDRESS, i),
              Linker.Option.firstVariadicArg(2)),
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("posix_fallocate"),
              FunctionDescriptor.of(i, i, l, l)),
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("fallocate"),
              FunctionDescriptor.of(i, i, i, l, l)),
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("close"), FunctionDescriptor.of(i, i)));
    }
  }

  private final Path file;
  private final int descriptor;

  private DiskSpace(Path file, int descriptor) {
    this.file = file;
    this.descriptor = descriptor;
  }

  /** Of a file that exists. */
  static DiskSpace of(Path file) throws IOException {
    if (CALLS == null) {
      return new DiskSpace(file, -1);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(file.toString());
      int descriptor = (int) CALLS.open.invokeExact(path, O_RDWR | O_CLOEXEC);
      if (descriptor < 0) {
        throw new IOException(file + ": cannot be opened");
      }
      return new DiskSpace(file, descriptor);
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("open(2) throws nothing", e);
    }
  }

  /**
   * Makes sure that a part of the file is on the disk, as zeros where it was not: writing to a
   * mapped page can then never fail for want of space, which would end the process. Nobody else may
   * write to that part meanwhile.
   *
   * @throws IOException if the disk is full or fails
   */
  void reserve(long offset, long bytes) throws IOException {
    if (CALLS == null) {
      return;
    }
    int error;
    do {
      error = reserve(CALLS, offset, bytes);
    } while (error == EINTR);
    if (!isReserved(error)) {
      fillHoles(file, offset, bytes);
    }
  }

  private int reserve(Calls calls, long offset, long bytes) {
    try {
      return (int) calls.reserve.invokeExact(descriptor, offset, bytes);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("posix_fallocate(3) throws nothing", e);
    }
  }

  /**
   * What posix_fallocate's result means; false if the file system or the C library cannot do it.
   *
   * @throws IOException if it can, and failed
   */
  static boolean isReserved(int error) throws IOException {
    return switch (error) {
      case 0 -> true;
      case EOPNOTSUPP, EINVAL, ENOSYS -> false;
      case ENOSPC, EDQUOT -> throw new IOException("No space left on device");
      default -> throw new IOException("its space cannot be reserved (error " + error + ")");
    };
  }

  /** Writes zeros wherever there may be a hole; what is there stays. */
  static void fillHoles(Path file, long offset, long bytes) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocate(SMALLEST_BLOCK_BYTES);
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      for (long at = offset; at < offset + bytes; at += PIECE_BYTES) {
        int length = (int) Math.min(PIECE_BYTES, offset + bytes - at);
        Arrays.fill(piece.array(), (byte) 0); // as behind the end of the file
        piece.clear().limit(length);
        while (piece.hasRemaining() && channel.read(piece, at + piece.position()) > 0) {}
        for (int block = 0; block < length; block += SMALLEST_BLOCK_BYTES) {
          int end = Math.min(length, block + SMALLEST_BLOCK_BYTES);
          zeros.clear().limit(end - block);
          if (Arrays.equals(piece.array(), block, end, zeros.array(), 0, end - block)) {
            while (zeros.hasRemaining()) {
              channel.write(zeros, at + block + zeros.position());
            }
          }
        }
      }
    }
  }

  /** Gives a part of the file back to the disk, and its pages to memory, if the file system can. */
  void release(long offset, long bytes) {
    if (CALLS == null) {
      return;
    }
    try {
      // A file system that cannot do it only costs space until the file is deleted.
      int ignored =
          (int) CALLS.punch.invokeExact(descriptor, KEEP_SIZE_AND_PUNCH_HOLE, offset, bytes);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("fallocate(2) throws nothing", e);
    }
  }

  @Override
  public void close() {
    if (CALLS == null) {
      return;
    }
    try {
      int ignored = (int) CALLS.close.invokeExact(descriptor);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("close(2) throws nothing", e);
    }
  }
}
