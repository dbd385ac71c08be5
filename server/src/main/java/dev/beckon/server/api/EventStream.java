package dev.beckon.server.api;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.Group;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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
  private final BlockingQueue<Supplier<String>> queue = new ArrayBlockingQueue<>(CAPACITY);
  private volatile boolean closed;
  private volatile @Nullable Thread writer;

  /**
   * @param only the device whose commands are wanted; null for all, where a group is one
   */
  EventStream(@Nullable DeviceId only) {
    this.only = only;
  }

  /** The commands of a group go to those who listen to their device: there are too many of them. */
  void offer(Command command) {
    if (only == null ? command.groupId() == null : only.equals(command.deviceId())) {
      offer(() -> "event: command\ndata: " + Json.command(command) + "\n\n");
    }
  }

  /** A group goes to those who listen to all devices. */
  void offer(Group group) {
    if (only == null) {
      offer(() -> "event: group\ndata: " + Json.group(group) + "\n\n");
    }
  }

  private void offer(Supplier<String> event) {
    if (!queue.offer(event)) {
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
        Supplier<String> event = queue.poll(HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS);
        write(out, event == null ? ": still here\n\n" : event.get());
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
