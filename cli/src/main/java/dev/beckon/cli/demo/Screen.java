package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What the audience sees: finished steps, and on a terminal the step being waited for.
 *
 * <p>Used by one thread; the thread that turns the wheel is its own.
 */
final class Screen {

  private static final String WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
  private static final long TURN_MILLIS = 100;

  private final PrintStream out;
  private final Ink ink;
  private final long startNanos = System.nanoTime();

  Screen(PrintStream out, boolean terminal) {
    this.out = out;
    ink = new Ink(terminal);
  }

  Ink ink() {
    return ink;
  }

  void line(String text) {
    out.println(text);
  }

  void lines(List<String> lines) {
    lines.forEach(out::println);
  }

  /** Does the work while showing what is waited for, then a line that it is done. */
  <T> T step(String what, Supplier<T> work) {
    Thread wheel = turn(what);
    try {
      T result = work.get();
      stop(wheel);
      out.println(ink.good("✓") + " " + what + "  " + ink.faint(elapsed()));
      return result;
    } catch (RuntimeException e) {
      stop(wheel);
      out.println(ink.bad("✗") + " " + what + "  " + ink.faint(elapsed()));
      throw e;
    }
  }

  /** Time since the start of the demo, for people. */
  String elapsed() {
    return format("%.1f s", seconds());
  }

  double seconds() {
    return Math.round((System.nanoTime() - startNanos) / 1e8) / 10.0;
  }

  private Thread turn(String what) {
    Thread wheel = Thread.ofPlatform().daemon().name("progress").unstarted(() -> turnWheel(what));
    if (ink.colours()) {
      wheel.start();
    }
    return wheel;
  }

  private void turnWheel(String what) {
    try {
      for (int i = 0; ; i++) {
        String spoke = WHEEL.substring(i % WHEEL.length(), i % WHEEL.length() + 1);
        out.print("\r" + spoke + " " + what + " … " + ink.faint(elapsed()) + "\u001b[K");
        out.flush();
        Thread.sleep(TURN_MILLIS);
      }
    } catch (InterruptedException stopped) {
      out.print("\r\u001b[K");
      out.flush();
    }
  }

  private static void stop(Thread wheel) {
    wheel.interrupt();
    try {
      wheel.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
