package dev.beckon.protocol;

import java.util.Locale;

/**
 * How much of the protection is on, for datagrams and sessions alike. A device's own setting
 * decides; nothing that it receives can talk it down.
 */
public enum Security {
  /** Both sides show certificates, sessions are encrypted, datagrams carry an integrity check. */
  MUTUAL,
  /** The server alone shows a certificate; a session believes the device by its ID. For labs. */
  SERVER,
  /** Plain TCP, datagrams without integrity check; all other rules hold. For labs. */
  NONE;

  /** Whether datagrams carry and need an integrity check. */
  public boolean protectsDatagrams() {
    return this != NONE;
  }

  /** Whether sessions are TLS connections. */
  public boolean protectsSessions() {
    return this == MUTUAL || this == SERVER;
  }

  /** As on the command line: {@code mutual}, {@code server} or {@code none}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException if it is none of the three
   */
  public static Security parse(String text) {
    return switch (text) {
      case "mutual" -> MUTUAL;
      case "server" -> SERVER;
      case "none" -> NONE;
      default ->
          throw new IllegalArgumentException(
              "security: " + text + " (expected mutual, server or none)");
    };
  }
}
