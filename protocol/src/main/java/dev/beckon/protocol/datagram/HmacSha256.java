package dev.beckon.protocol.datagram;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4) that allocates nothing once it exists.
 *
 * <p>{@code javax.crypto.Mac} copies the key at every {@code init} and makes an array at every
 * {@code doFinal}; a server that derives a key per datagram would make garbage by the gigabyte. The
 * hash itself is the JDK's. Not thread-safe: one per thread.
 */
public final class HmacSha256 {
  /** Length of the result in bytes. */
  public static final int LENGTH = 32;

  private static final int BLOCK = 64;

  private final MessageDigest digest;
  private final byte[] innerPad = new byte[BLOCK];
  private final byte[] outerPad = new byte[BLOCK];
  private final byte[] inner = new byte[LENGTH];

  public HmacSha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * Starts a new computation; one under way is dropped.
   *
   * @param key of at most 64 bytes; longer keys are not needed here
   * @throws IllegalArgumentException if the key is longer
   */
  public void init(byte[] key) {
    if (key.length > BLOCK) {
      throw new IllegalArgumentException("key length: " + key.length + " (expected <= 64 bytes)");
    }
    Arrays.fill(innerPad, (byte) 0x36);
    Arrays.fill(outerPad, (byte) 0x5C);
    for (int i = 0; i < key.length; i++) {
      innerPad[i] ^= key[i];
      outerPad[i] ^= key[i];
    }
    digest.reset();
    digest.update(innerPad, 0, BLOCK);
  }

  public void update(byte value) {
    digest.update(value);
  }

  public void update(byte[] bytes, int offset, int length) {
    digest.update(bytes, offset, length);
  }

  /** Writes the 32 bytes of the result to {@code out} and ends the computation. */
  public void doFinal(byte[] out, int offset) {
    try {
      digest.digest(inner, 0, LENGTH);
      digest.update(outerPad, 0, BLOCK);
      digest.update(inner, 0, LENGTH);
      digest.digest(out, offset, LENGTH);
    } catch (DigestException e) {
      throw new IllegalArgumentException(
          "out: " + (out.length - offset) + " bytes (expected >= " + LENGTH + ")", e);
    }
  }
}
