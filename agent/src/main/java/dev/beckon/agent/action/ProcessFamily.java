package dev.beckon.agent.action;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program and everything that it has started.
 *
 * <p>Descendants are found by their parents and, on Linux, by a mark in their environment too: a
 * process whose parent has gone has another one, but keeps its environment. Process groups would
 * not do: a daemon leaves them.
 */
final class ProcessFamily {
  private static final Duration GONE = Duration.ofSeconds(2);
  private static final int ROUNDS = 5;

  private ProcessFamily() {}

  /**
   * Kills the process and its descendants, those too that are started meanwhile.
   *
   * @param mark {@code NAME=value} that was put into the environment of the process
   */
  static void kill(Process process, String mark) throws InterruptedException {
    for (int round = 0; round < ROUNDS; round++) {
      List<ProcessHandle> family =
          Stream.concat(process.descendants(), marked(mark)).distinct().toList();
      if (family.isEmpty() && !process.isAlive()) {
        return;
      }
      process.destroyForcibly();
      family.forEach(ProcessHandle::destroyForcibly);
      boolean gone = process.waitFor(GONE.toMillis(), TimeUnit.MILLISECONDS);
      assert gone || process.isAlive();
    }
  }

  private static Stream<ProcessHandle> marked(String mark) {
    return ProcessHandle.allProcesses().filter(process -> isMarked(process.pid(), mark));
  }

  private static boolean isMarked(long pid, String mark) {
    try {
      String environment =
          Files.readString(
              Path.of("/proc", Long.toString(pid), "environ"), StandardCharsets.ISO_8859_1);
      return List.of(environment.split("\0")).contains(mark);
    } catch (IOException e) {
      return false; // another user's, gone meanwhile, or no Linux
    }
  }
}
