package dev.beckon.server.session;

import dev.beckon.protocol.Security;
import java.time.Duration;

/**
 * Limits of sessions, and how they are protected.
 *
 * @param handshake longest time from the TCP connection to the end of the TLS handshake
 * @param hello longest time from there to the first frame
 * @param linger how long an idle session stays open, so that follow-up commands need no wake
 * @param stall longest silence of a device that owes something: the acknowledgement of a command,
 *     the rest of a body. Running commands owe nothing; they may take hours
 * @param maxCommandsInFlight commands handed over in one session and not ended
 * @param maxBodyBytes longest body of a command's result
 * @param maxBufferedBytes heap for result bodies that are still arriving, all sessions together
 * @param maxConnections connections at one time; more are closed at once
 * @param nativeParts whether to use epoll and BoringSSL where they load; else NIO and the JDK's TLS
 * @param security who proves what to whom; decided here, never by a device
 */
public record SessionConfig(
    Duration handshake,
    Duration hello,
    Duration linger,
    Duration stall,
    int maxCommandsInFlight,
    long maxBodyBytes,
    long maxBufferedBytes,
    int maxConnections,
    boolean nativeParts,
    Security security) {

  /** Longest frame on the wire, without its length prefix; part of the protocol. */
  public static final int MAX_FRAME_BYTES = 65_536;

  /** Longest content of one BodyChunk; part of the protocol. */
  public static final int MAX_CHUNK_BYTES = 32_768;

  public SessionConfig {
    requirePositive("handshake", handshake);
    requirePositive("hello", hello);
    requirePositive("stall", stall);
    if (linger.isNegative()) {
      throw new IllegalArgumentException("linger: " + linger + " (expected 0 or more)");
    }
    if (maxCommandsInFlight < 1) {
      throw new IllegalArgumentException(
          "maxCommandsInFlight: " + maxCommandsInFlight + " (expected 1 or more)");
    }
    if (maxBodyBytes < 0 || maxBodyBytes > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "maxBodyBytes: " + maxBodyBytes + " (expected 0 to 2147483639)");
    }
    if (maxBufferedBytes < maxBodyBytes) {
      throw new IllegalArgumentException(
          "maxBufferedBytes: " + maxBufferedBytes + " (expected at least maxBodyBytes)");
    }
    if (maxConnections < 1) {
      throw new IllegalArgumentException(
          "maxConnections: " + maxConnections + " (expected 1 or more)");
    }
  }

  /** The limits that docs/PROTOCOL.md names, with native parts. */
  public static SessionConfig defaults() {
    return new SessionConfig(
        Duration.ofSeconds(5),
        Duration.ofSeconds(5),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        16,
        16 << 20,
        Math.max(64 << 20, Runtime.getRuntime().maxMemory() / 8),
        // A connection costs about 40 kB with TLS; a fleet that comes back at once is dampened by
        // its own random delays, so this is a bound on harm, not on a fleet's size.
        20_000,
        true,
        Security.MUTUAL);
  }

  /** The same limits on NIO and the JDK's TLS. */
  public SessionConfig withoutNativeParts() {
    return new SessionConfig(
        handshake,
        hello,
        linger,
        stall,
        maxCommandsInFlight,
        maxBodyBytes,
        maxBufferedBytes,
        maxConnections,
        false,
        security);
  }

  /** The same limits with another linger time. */
  public SessionConfig withLinger(Duration other) {
    return new SessionConfig(
        handshake,
        hello,
        other,
        stall,
        maxCommandsInFlight,
        maxBodyBytes,
        maxBufferedBytes,
        maxConnections,
        nativeParts,
        security);
  }

  /** The same limits with another security. */
  public SessionConfig withSecurity(Security other) {
    return new SessionConfig(
        handshake,
        hello,
        linger,
        stall,
        maxCommandsInFlight,
        maxBodyBytes,
        maxBufferedBytes,
        maxConnections,
        nativeParts,
        other);
  }

  private static void requirePositive(String name, Duration duration) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(name + ": " + duration + " (expected more than 0)");
    }
  }
}
