package dev.beckon.lab.fleet;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Keeps this process on one processor (Linux), so that it takes nothing from the others. */
public final class CpuAffinity {
  private static final int MASK_BYTES = 128;

  private CpuAffinity() {}

  /**
   * All threads of this process, and those that they start, from now on run on that processor only.
   *
   * @param cpu from 0
   * @throws IOException if there is no such processor
   */
  public static void pinProcess(int cpu) throws IOException {
    try (Arena arena = Arena.ofConfined();
        DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      MemorySegment mask = arena.allocate(MASK_BYTES);
      mask.set(ValueLayout.JAVA_BYTE, cpu / 8, (byte) (1 << (cpu % 8)));
      MethodHandle call = call();
      for (Path thread : threads) {
        int id = Integer.parseInt(thread.getFileName().toString());
        int result = (int) call.invokeExact(id, (long) MASK_BYTES, mask);
        if (result != 0 && Files.exists(thread)) {
          throw new IOException(
              "cpu: " + cpu + " (expected a processor that this process may use)");
        }
      }
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("C functions throw nothing", e);
    }
  }

  @SuppressWarnings("restricted") // native access is what this class is for
  private static MethodHandle call() {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("sched_setaffinity"),
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS));
  }
}
