package dev.beckon.agent.action;

import dev.beckon.agent.config.DurationText;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One run of a program: without a shell, without input, never longer than its time limit.
 *
 * <p>Its output (standard error too) goes back as progress while it runs, and as a whole at the
 * end: up to 16 KiB as the value {@code output}, longer as a body too.
 */
final class ProgramRun {
  /** In the program's environment: the command that it runs for. Its children inherit it. */
  static final String COMMAND_VARIABLE = "BECKON_COMMAND";

  private static final int MAX_VALUE_BYTES = 16 * 1024;
  private static final int MAX_OUTPUT_BYTES = 8 << 20;
  private static final long TICK_MILLIS = 250;
  private static final long DRAIN_MILLIS = 2_000;

  /**
   * How the program ended.
   *
   * @param exit its exit code; null if it was killed at the time limit
   * @param output at most 8 MiB of it
   * @param outputBytes all of it
   */
  record End(@Nullable Integer exit, byte[] output, long outputBytes, Duration timeLimit) {
    String text() {
      return new String(output, StandardCharsets.UTF_8);
    }

    /** Success for exit code 0, else a typed failure; with the output. */
    Result result() {
      Result result;
      if (exit == null) {
        result =
            Failure.TIMED_OUT.because(
                "time limit: "
                    + DurationText.format(timeLimit)
                    + " passed (expected the program to end before; it was killed)");
      } else {
        result = exit == 0 ? Result.ok() : Failure.EXIT_CODE.because("exit code: " + exit);
        result = result.with("exit", exit);
      }
      if (output.length == 0) {
        return result;
      }
      if (outputBytes <= MAX_VALUE_BYTES) {
        return result.with("output", text());
      }
      byte[] end =
          Arrays.copyOfRange(output, Math.max(0, output.length - MAX_VALUE_BYTES), output.length);
      result = outputBytes > output.length ? result.with("output-truncated", true) : result;
      return result
          .with("output", new String(end, StandardCharsets.UTF_8))
          .with("output-bytes", outputBytes)
          .withBody(output);
    }
  }

  private final Program program;
  private final Command command;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private long outputBytes;

  private ProgramRun(Program program, Command command) {
    this.program = program;
    this.command = command;
  }

  /**
   * Runs the program with the command's arguments.
   *
   * @throws FailedException if it cannot be started
   */
  static End run(Program program, Command command) throws FailedException, InterruptedException {
    return run(program, command, Map.of());
  }

  /** As {@link #run(Program, Command)}, with more in the environment. */
  static End run(Program program, Command command, Map<String, String> environment)
      throws FailedException, InterruptedException {
    return new ProgramRun(program, command).run(environment);
  }

  private End run(Map<String, String> environment) throws FailedException, InterruptedException {
    Process process = start(environment);
    ProgressText progress = new ProgressText(command, System.nanoTime());
    Thread reader = new Thread(() -> readAll(process.getInputStream(), progress), "beckon-output");
    reader.setDaemon(true);
    reader.start();
    try {
      long limit = System.nanoTime() + program.timeLimit().toNanos();
      boolean ended = process.waitFor(tick(limit), TimeUnit.NANOSECONDS);
      while (!ended && limit - System.nanoTime() > 0) {
        progress.tick(System.nanoTime());
        ended = process.waitFor(tick(limit), TimeUnit.NANOSECONDS);
      }
      if (!ended) {
        ProcessFamily.kill(process, COMMAND_VARIABLE + "=" + command.id());
      }
      reader.join(
          DRAIN_MILLIS); // something that it started may hold the pipe open, and may live on
      synchronized (this) {
        return new End(
            ended ? process.exitValue() : null,
            output.toByteArray(),
            outputBytes,
            program.timeLimit());
      }
    } finally {
      if (process.isAlive()) { // interrupted: the device is being stopped
        ProcessFamily.kill(process, COMMAND_VARIABLE + "=" + command.id());
      }
    }
  }

  private static long tick(long limitNanos) {
    return Math.max(
        0, Math.min(limitNanos - System.nanoTime(), TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS)));
  }

  private Process start(Map<String, String> environment) throws FailedException {
    List<String> vector = program.vector(command.arguments());
    ProcessBuilder builder = new ProcessBuilder(vector).redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder.environment().put(COMMAND_VARIABLE, command.id());
    if (program.folder() != null) {
      if (!Files.isDirectory(program.folder())) {
        throw new FailedException(
            Failure.PROGRAM_MISSING, "folder: " + program.folder() + " (expected a folder)");
      }
      builder.directory(program.folder().toFile());
    }
    try {
      Process process = builder.start();
      process.getOutputStream().close(); // it gets no input to wait for
      return process;
    } catch (IOException e) {
      throw new FailedException(
          Failure.PROGRAM_MISSING,
          "program: " + vector.get(0) + " (expected an executable program; " + cause(e) + ")");
    }
  }

  private static String cause(IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.substring(message.lastIndexOf(", ") + 1).strip();
  }

  private void readAll(InputStream in, ProgressText progress) {
    byte[] buffer = new byte[8192];
    try (in) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        synchronized (this) {
          outputBytes += n;
          output.write(buffer, 0, Math.min(n, MAX_OUTPUT_BYTES - output.size()));
        }
        progress.add(buffer, n, System.nanoTime());
      }
    } catch (IOException e) {
      // The program was killed; what it printed before stays.
    }
  }
}
