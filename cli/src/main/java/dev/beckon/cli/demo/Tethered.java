package dev.beckon.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Runs another main class for as long as standard input stays open. Where the kernel does not do
 * it, this ends another command's processes when that was killed.
 */
public final class Tethered {

  private Tethered() {}

  /**
   * Runs it.
   *
   * @param args the main class and its arguments
   */
  public static void main(String[] args) throws ReflectiveOperationException {
    Thread.ofPlatform().daemon().name("tether").start(Tethered::hold);
    Class.forName(args[0])
        .getMethod("main", String[].class)
        .invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
  }

  private static void hold() {
    try (InputStream tether = System.in) {
      while (tether.read() >= 0) {
        // Nothing is ever said; only its end counts.
      }
    } catch (IOException cut) {
      // The same as its end.
    }
    Runtime.getRuntime().halt(1);
  }
}
