package dev.beckon.protocol.datagram;

import java.nio.charset.StandardCharsets;

/**
 * The name of a device: 1 to 64 of {@code A-Z a-z 0-9 . _ : -}. It outlives the device's addresses,
 * keys and certificates.
 *
 * @param value the name as text; ASCII, so one byte per character on the wire
 */
public record DeviceId(String value) implements Comparable<DeviceId> {
  /** Fits a MAC address, a serial number or a UUID URN, and a keepalive stays below 150 bytes. */
  public static final int MAX_LENGTH = 64;

  /**
   * @throws IllegalArgumentException if {@code value} is not a device ID
   */
  public DeviceId {
    boolean valid = !value.isEmpty() && value.length() <= MAX_LENGTH;
    for (int i = 0; valid && i < value.length(); i++) {
      valid = isAllowed(value.charAt(i));
    }
    if (!valid) {
      String shown = value.length() <= MAX_LENGTH ? value : value.substring(0, MAX_LENGTH) + "…";
      throw new IllegalArgumentException(
          "device ID: " + shown + " (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
    }
  }

  static boolean isAllowed(int character) {
    return (character >= 'a' && character <= 'z')
        || (character >= 'A' && character <= 'Z')
        || (character >= '0' && character <= '9')
        || character == '.'
        || character == '_'
        || character == ':'
        || character == '-';
  }

  /** The name as bytes, as it stands in USERNAME. */
  public byte[] bytes() {
    return value.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public int compareTo(DeviceId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
