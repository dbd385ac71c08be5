package dev.beckon.agent.action;

import dev.beckon.device.Command;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Sends the output of a program back while it runs: the lines since the last report together, and
 * of many lines the last.
 *
 * <p>The server keeps some 200 reports of a command. So they come every half second at first and
 * more and more seldom as the time goes on: 20 in the first ten seconds, 160 in the first two
 * hours.
 *
 * <p>Thread-safe.
 */
final class ProgressText {
  private static final long FIRST_PAUSE_NANOS = Duration.ofMillis(500).toNanos();
  private static final int PARTS_OF_ELAPSED = 20;
  private static final int MAX_BYTES = 2_000;

  private final Command command;
  private final long startNanos;
  private long nextNanos;
  private byte[] waiting = new byte[0]; // ends with the newest output

  ProgressText(Command command, long nowNanos) {
    this.command = command;
    this.startNanos = nowNanos;
    this.nextNanos = nowNanos;
  }

  /** More output. */
  synchronized void add(byte[] buffer, int length, long nowNanos) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(waiting, 0, waiting.length);
    all.write(buffer, 0, length);
    byte[] bytes = all.toByteArray();
    int drop = Math.max(0, bytes.length - MAX_BYTES);
    waiting = java.util.Arrays.copyOfRange(bytes, drop, bytes.length);
    report(nowNanos, false);
  }

  /** Reports what has waited long enough; to be called now and then. */
  synchronized void tick(long nowNanos) {
    report(nowNanos, true);
  }

  private void report(long nowNanos, boolean unfinishedLines) {
    if (nextNanos - nowNanos > 0) {
      return;
    }
    int end = unfinishedLines ? wholeCharacters() : lastLineEnd();
    String text = new String(waiting, 0, end, StandardCharsets.UTF_8).strip();
    waiting = java.util.Arrays.copyOfRange(waiting, end, waiting.length);
    if (!text.isEmpty()) {
      command.progress(0, text);
      nextNanos =
          nowNanos + Math.max(FIRST_PAUSE_NANOS, (nowNanos - startNanos) / PARTS_OF_ELAPSED);
    }
  }

  private int lastLineEnd() {
    for (int i = waiting.length; i > 0; i--) {
      if (waiting[i - 1] == '\n' || waiting[i - 1] == '\r') {
        return i;
      }
    }
    return 0;
  }

  /** Leaves the beginning of a character of UTF-8 whose rest is still to come. */
  private int wholeCharacters() {
    for (int i = waiting.length - 1; i >= 0 && i >= waiting.length - 3; i--) {
      int b = waiting[i] & 0xFF;
      if (b < 0x80) {
        break;
      }
      if (b >= 0xC0) {
        int length = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : 2;
        return i + length > waiting.length ? i : waiting.length;
      }
    }
    return waiting.length;
  }
}
