package dev.beckon.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The device of src/test/python as a process: what it prints, line by line. */
final class PythonDevice implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 90;

  private final Process process;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final List<String> seen = new ArrayList<>();

  private PythonDevice(Process process) {
    this.process = process;
    Thread.ofVirtual().start(this::readLines);
  }

  static PythonDevice start(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("python3", "-B", script().toString()));
    command.addAll(List.of(arguments));
    return new PythonDevice(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  private static Path script() {
    Path inModule = Path.of("src/test/python/device.py");
    return Files.exists(inModule) ? inModule : Path.of("e2e").resolve(inModule);
  }

  private void readLines() {
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      if (process.isAlive()) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The next line that begins so; fails with all lines so far if none comes in time. */
  String awaitLine(String beginning) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (true) {
      String line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (line == null) {
        throw new AssertionError(
            "no line \"" + beginning + "…\" after:\n" + String.join("\n", seen));
      }
      seen.add(line);
      if (line.startsWith(beginning)) {
        return line;
      }
    }
  }

  /** Waits for the end of the process. */
  int exitCode() throws InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("still running after:\n" + String.join("\n", seen));
    }
    return process.exitValue();
  }

  /** Ends it as a power cut does. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
