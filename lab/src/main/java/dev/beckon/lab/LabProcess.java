package dev.beckon.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A running program and the lines it has printed, standard output and error mixed.
 *
 * <p>Safe for use by several threads.
 */
public final class LabProcess implements AutoCloseable {

  private final String name;
  private final Process process;
  private final Consumer<String> onLine;
  private final List<String> lines = new ArrayList<>();
  private boolean ended;

  private LabProcess(String name, Process process, Consumer<String> onLine) {
    this.name = name;
    this.process = process;
    this.onLine = onLine;
  }

  /**
   * Starts a program.
   *
   * @param name for messages
   * @param onLine is called with each line on a thread of this process; must return quickly
   */
  public static LabProcess start(String name, List<String> command, Consumer<String> onLine) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      // Where the network tools are, which is not in everyone's PATH.
      builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, more) -> path + ":" + more);
      Process process = builder.start();
      LabProcess started = new LabProcess(name, process, onLine);
      Thread.ofPlatform().daemon().name("lines of " + name).start(started::read);
      return started;
    } catch (IOException e) {
      throw new LabException(name + ": cannot start " + command, e);
    }
  }

  private void read() {
    try (InputStream output = process.getInputStream();
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(output, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        add(line);
      }
    } catch (IOException streamClosed) {
      // The process is gone; what it said is kept.
    }
    synchronized (this) {
      ended = true;
      notifyAll();
    }
  }

  private void add(String line) {
    synchronized (this) {
      lines.add(line);
      notifyAll();
    }
    onLine.accept(line);
  }

  /** Everything printed so far. */
  public synchronized List<String> lines() {
    return List.copyOf(lines);
  }

  /** Number of lines printed so far; a place to wait from. */
  public synchronized int position() {
    return lines.size();
  }

  /**
   * Waits for a line, from the first one on.
   *
   * @throws LabException if it does not come in time or the program ends without it
   */
  public String await(String what, Predicate<String> wanted, Duration within) {
    return awaitFrom(0, what, wanted, within);
  }

  /** As {@link #await}, looking only at lines from a {@link #position} on. */
  public String awaitFrom(int position, String what, Predicate<String> wanted, Duration within) {
    return find(position, wanted, within)
        .orElseThrow(() -> new LabException(missing(what, within)));
  }

  /** As {@link #awaitFrom}; empty if the line does not come. */
  public synchronized Optional<String> find(
      int position, Predicate<String> wanted, Duration within) {
    long deadlineNanos = System.nanoTime() + within.toNanos();
    int next = position;
    while (true) {
      for (; next < lines.size(); next++) {
        if (wanted.test(lines.get(next))) {
          return Optional.of(lines.get(next));
        }
      }
      long leftMillis = (deadlineNanos - System.nanoTime()) / 1_000_000;
      if (ended || leftMillis <= 0) {
        return Optional.empty();
      }
      try {
        wait(leftMillis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new LabException(name + ": interrupted while waiting", e);
      }
    }
  }

  private synchronized String missing(String what, Duration within) {
    String why = ended ? "ended without it" : "did not say it within " + within.toMillis() + " ms";
    return name + ": " + what + ": " + why + "; it printed:\n  " + String.join("\n  ", lines);
  }

  /** Waits for the end of the program and of its output; its exit code. */
  public int awaitEnd(Duration within) {
    try {
      if (!process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new LabException(missing("end", within));
      }
      awaitOutput();
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException(name + ": interrupted while waiting for its end", e);
    }
  }

  private synchronized void awaitOutput() throws InterruptedException {
    while (!ended) {
      wait();
    }
  }

  /** Whether the program still runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** The program itself, behind the ones that led it into its namespace. */
  public ProcessHandle handle() {
    ProcessHandle last = process.toHandle();
    while (isDoor(last)) {
      ProcessHandle outer = last;
      last = outer.children().findFirst().orElse(outer);
      if (last.equals(outer)) {
        break;
      }
    }
    return last;
  }

  private static boolean isDoor(ProcessHandle handle) {
    return handle.info().command().map(c -> c.endsWith("/nsenter")).orElse(false);
  }

  /** Name of the network namespace the program runs in, such as {@code net:[4026532179]}. */
  public String networkNamespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc", "" + handle().pid(), "ns/net")).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(name + ": cannot see its network namespace", e);
    }
  }

  /** Asks the program to end (SIGTERM), as an operator would. */
  public void stop() {
    handle().destroy();
  }

  /** Cuts the program off (SIGKILL), as a power cut would. */
  public void kill() {
    handle().destroyForcibly();
  }

  /** Ends the program at once; does nothing if it has ended. */
  @Override
  public void close() {
    kill();
    process.destroyForcibly();
  }
}
