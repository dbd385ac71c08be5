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
 * hash itself is the JDK's, which does a block in some 50 ns where the processor has instructions
 * for it; so a call of it counts, and gets pad and message together. Not thread-safe: one per
 * thread.
 */
public final class HmacSha256 {
  /** Length of the result in bytes. */
  public static final int LENGTH = 32;

  private static final int BLOCK = 64;

  /** What a keepalive has, and more; longer messages are hashed in parts. */
  private static final int MESSAGE_ROOM = 3 * BLOCK;

  private final MessageDigest digest;

  /** The inner pad, and the part of the message that is not hashed yet. */
  private final byte[] inner = new byte[BLOCK + MESSAGE_ROOM];

  /** The outer pad and the inner hash. */
  private final byte[] outer = new byte[BLOCK + LENGTH];

  /** How much of {@link #inner} waits to be hashed. */
  private int waiting;

  private boolean isUnderWay;

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
    for (int i = 0; i < key.length; i++) {
      inner[i] = (byte) (key[i] ^ 0x36);
      outer[i] = (byte) (key[i] ^ 0x5C);
    }
    Arrays.fill(inner, key.length, BLOCK, (byte) 0x36);
    Arrays.fill(outer, key.length, BLOCK, (byte) 0x5C);
    if (isUnderWay) {
      digest.reset();
      isUnderWay = false;
    }
    waiting = BLOCK;
  }

  public void update(byte value) {
    if (waiting == inner.length) {
      hashWaiting();
    }
    inner[waiting++] = value;
  }

  public void update(byte[] bytes, int offset, int length) {
    if (length > inner.length - waiting) {
      hashWaiting();
      if (length > inner.length) {
        digest.update(bytes, offset, length);
        return;
      }
    }
    System.arraycopy(bytes, offset, inner, waiting, length);
    waiting += length;
  }

  private void hashWaiting() {
    digest.update(inner, 0, waiting);
    waiting = 0;
    isUnderWay = true;
  }

  /** Writes the 32 bytes of the result to {@code out} and ends the computation. */
  public void doFinal(byte[] out, int offset) {
    try {
      digest.update(inner, 0, waiting);
      digest.digest(outer, BLOCK, LENGTH);
      digest.update(outer, 0, outer.length);
      digest.digest(out, offset, LENGTH);
      waiting = 0;
      isUnderWay = false;
    } catch (DigestException e) {
      digest.reset();
      throw new IllegalArgumentException(
          "out: " + (out.length - offset) + " bytes (expected >= " + LENGTH + ")", e);
    }
  }
}
