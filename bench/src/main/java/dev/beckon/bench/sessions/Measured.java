package dev.beckon.bench.sessions;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process under measurement, on processor 0; with what it has cost so far. */
final class Measured implements AutoCloseable {

  /** Linux counts processes' time in hundredths of a second, whatever its clock does. */
  private static final long TICK_MICROS = 10_000;

  private static final int AFTER_NAME_USER = 11;
  private static final int AFTER_NAME_SYSTEM = 12;

  private final Process process;

  private Measured(Process process) {
    this.process = process;
  }

  /** Starts it with its output in a file. */
  static Measured start(List<String> command, Path output) throws IOException {
    return new Measured(
        new ProcessBuilder(
                Stream.concat(Stream.of("taskset", "-c", "0"), command.stream()).toList())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start());
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Processor time of it and its children, microseconds. */
  long cpuMicros() throws IOException {
    long ticks = 0;
    for (ProcessHandle each : (Iterable<ProcessHandle>) family()::iterator) {
      ticks += ticks(each.pid());
    }
    return ticks * TICK_MICROS;
  }

  /** Processor time of this program, microseconds. */
  static long ownCpuMicros() throws IOException {
    return ticks(ProcessHandle.current().pid()) * TICK_MICROS;
  }

  private Stream<ProcessHandle> family() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants());
  }

  private static long ticks(long pid) throws IOException {
    String line = Files.readString(Path.of("/proc/" + pid + "/stat"));
    String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
    return Long.parseLong(fields[AFTER_NAME_USER]) + Long.parseLong(fields[AFTER_NAME_SYSTEM]);
  }

  /** Resident memory, kilobytes. */
  long residentKilobytes() throws IOException {
    long sum = 0;
    for (ProcessHandle each : (Iterable<ProcessHandle>) family()::iterator) {
      for (String line : Files.readAllLines(Path.of("/proc/" + each.pid() + "/status"))) {
        if (line.startsWith("VmRSS:")) {
          sum += Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    }
    return sum;
  }

  /**
   * What a processor spent at work since the start of the machine, microseconds: what the kernel
   * does for a connection is in no process's account.
   */
  static long busyMicros(int processor) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/stat"))) {
      String[] fields = line.split(" +");
      if (fields[0].equals("cpu" + processor)) {
        long ticks = 0;
        for (int i = 1; i <= 7; i++) {
          // Fields 4 and 5 are idle time, with and without a disk that is waited for.
          ticks += i == 4 || i == 5 ? 0 : Long.parseLong(fields[i]);
        }
        return ticks * TICK_MICROS;
      }
    }
    throw new IOException("processor " + processor + ": not in /proc/stat (expected 2 processors)");
  }

  /** What a program answers to an input on its standard input. */
  static String ask(String input, String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (OutputStream in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.US_ASCII));
      in.flush();
      String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      process.waitFor();
      return answer;
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
