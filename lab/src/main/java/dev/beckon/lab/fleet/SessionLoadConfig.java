package dev.beckon.lab.fleet;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * How a {@link SessionLoad} behaves.
 *
 * @param server where devices dial
 * @param course what they do there
 * @param maxOpen sessions at one time; more wait for their turn
 * @param threads that carry them, 1 or more
 * @param resumes whether a device's next session resumes its TLS session
 * @param retries whether a failed session is tried again after 1, 3, 7 and 15 s, as a woken device
 *     does
 * @param patience how long a session may take in all
 */
public record SessionLoadConfig(
    InetSocketAddress server,
    Course course,
    int maxOpen,
    int threads,
    boolean resumes,
    boolean retries,
    Duration patience) {

  /** What a device does once it is connected. */
  public enum Course {
    /** Takes commands, reports their ends, waits for the receipts and says Bye. */
    COMMANDS,
    /** The same, but stays until the server ends the session, as devices do. */
    COMMANDS_AND_LINGER,
    /** Says Bye behind the Welcome, as one that has nothing to do and is asked for nothing. */
    GREETING,
    /** Ends the connection behind the TLS handshake, and waits for the server to end it too. */
    HANDSHAKE
  }

  public SessionLoadConfig {
    if (maxOpen < 1) {
      throw new IllegalArgumentException("maxOpen: " + maxOpen + " (expected 1 or more)");
    }
    if (threads < 1) {
      throw new IllegalArgumentException("threads: " + threads + " (expected 1 or more)");
    }
  }

  /** Devices of a simulated fleet: they linger and try again. */
  public static SessionLoadConfig ofFleet(InetSocketAddress server) {
    return new SessionLoadConfig(
        server, Course.COMMANDS_AND_LINGER, 10_000, 1, false, true, Duration.ofMinutes(5));
  }

  /**
   * A load that keeps a server busy.
   *
   * @param open sessions at one time
   */
  public static SessionLoadConfig saturating(InetSocketAddress server, Course course, int open) {
    return new SessionLoadConfig(server, course, open, 1, false, false, Duration.ofSeconds(30));
  }

  /** The same with or without resumption of TLS sessions. */
  public SessionLoadConfig withResumption(boolean wanted) {
    return new SessionLoadConfig(server, course, maxOpen, threads, wanted, retries, patience);
  }
}
