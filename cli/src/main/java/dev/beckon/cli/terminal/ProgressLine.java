package dev.beckon.cli.terminal;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How far long work has come: on a terminal one line that changes, with a bar; elsewhere a plain
 * line now and then. Used by one thread.
 */
public final class ProgressLine {
  private static final int BAR_WIDTH = 30;
  private static final long REFRESH_NANOS = 100_000_000L;
  private static final long PLAIN_NANOS = 10_000_000_000L;

  private final PrintStream stream;
  private final boolean terminal;
  private final LongSupplier nanoClock;
  private long toldNanos;
  private String told = "";
  private boolean shown;

  public ProgressLine(PrintStream stream, boolean terminal, LongSupplier nanoClock) {
    this.stream = stream;
    this.terminal = terminal;
    this.nanoClock = nanoClock;
    toldNanos = nanoClock.getAsLong();
  }

  /** So much of something is done; told if it is new work, all of it, or some time has passed. */
  public void at(String what, long done, long total) {
    long now = nanoClock.getAsLong();
    boolean news = !what.equals(told) || done == total;
    if (!news && now - toldNanos < (terminal ? REFRESH_NANOS : PLAIN_NANOS)) {
      return;
    }
    toldNanos = now;
    told = what;
    line(String.format(Locale.ROOT, "%s %,d of %,d %s", bar(done, total), done, total, what));
  }

  /** Something to be told now, in place of what was told before. */
  public void show(String text) {
    long now = nanoClock.getAsLong();
    if (terminal || now - toldNanos >= PLAIN_NANOS || told.isEmpty()) {
      toldNanos = now;
      told = " ";
      line(text);
    }
  }

  private void line(String text) {
    if (terminal) {
      stream.print("\r" + text + "\u001b[K");
      stream.flush();
      shown = true;
    } else {
      stream.println(text.strip());
    }
  }

  private String bar(long done, long total) {
    if (!terminal) {
      return "";
    }
    int full = total <= 0 ? BAR_WIDTH : Math.clamp(done * BAR_WIDTH / total, 0, BAR_WIDTH);
    return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
  }

  /** Takes the line away. */
  public void end() {
    if (shown) {
      stream.print("\r\u001b[K");
      stream.flush();
      shown = false;
    }
  }
}
