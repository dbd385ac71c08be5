package dev.beckon.server.api;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Command;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One listener's stream of command changes, as server-sent events. Filled by any thread, written by
 * one. A listener that does not keep up is cut off rather than waited for; it reads the list of
 * commands anew.
 */
final class EventStream {

  private static final int CAPACITY = 1024;

  /** Shorter than the patience of the usual proxies, 60 s. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(15);

  private final @Nullable DeviceId only;
  private final BlockingQueue<Command> queue = new ArrayBlockingQueue<>(CAPACITY);
  private volatile boolean closed;
  private volatile @Nullable Thread writer;

  /**
   * @param only the device whose commands are wanted; null for all
   */
  EventStream(@Nullable DeviceId only) {
    this.only = only;
  }

  void offer(Command command) {
    if (only != null && !only.equals(command.deviceId())) {
      return;
    }
    if (!queue.offer(command)) {
      close();
    }
  }

  void close() {
    closed = true;
    Thread thread = writer;
    if (thread != null) {
      thread.interrupt();
    }
  }

  /** Writes events until the listener goes, falls behind, or the server stops. */
  void writeTo(OutputStream out) throws IOException {
    writer = Thread.currentThread();
    try {
      write(out, ": listening\n\n");
      while (!closed) {
        Command command = queue.poll(HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS);
        write(
            out,
            command == null
                ? ": still here\n\n"
                : "event: command\ndata: " + Json.command(command) + "\n\n");
      }
    } catch (InterruptedException stopping) {
      // Only close() interrupts; the stream ends here, and the thread with it.
    } finally {
      writer = null;
    }
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
