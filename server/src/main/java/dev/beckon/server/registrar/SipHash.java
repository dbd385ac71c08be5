package dev.beckon.server.registrar;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit pseudorandom function for short
 * inputs. Who does not know the key can neither choose colliding inputs nor predict a result.
 * Immutable.
 */
public final class SipHash {
  public static final int KEY_LENGTH = 16;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final long key0;
  private final long key1;

  public SipHash(byte[] key) {
    if (key.length != KEY_LENGTH) {
      throw new IllegalArgumentException("key length: " + key.length + " (expected 16 bytes)");
    }
    key0 = (long) LONG.get(key, 0);
    key1 = (long) LONG.get(key, 8);
  }

  public long hash(byte[] bytes, int offset, int length) {
    long v0 = key0 ^ 0x736f6d6570736575L;
    long v1 = key1 ^ 0x646f72616e646f6dL;
    long v2 = key0 ^ 0x6c7967656e657261L;
    long v3 = key1 ^ 0x7465646279746573L;
    int whole = length & ~7;
    // Two rounds per word and four at the end; the last word holds the tail and the length.
    for (int i = 0; i <= whole + 8; i += 8) {
      long word = 0;
      int rounds = 2;
      if (i < whole) {
        word = (long) LONG.get(bytes, offset + i);
      } else if (i == whole) {
        word = (long) length << 56;
        for (int tail = length - whole - 1; tail >= 0; tail--) {
          word |= (bytes[offset + whole + tail] & 0xFFL) << (8 * tail);
        }
      } else {
        v2 ^= 0xFF;
        rounds = 4;
      }
      v3 ^= word;
      for (int round = 0; round < rounds; round++) {
        v0 += v1;
        v2 += v3;
        v1 = Long.rotateLeft(v1, 13) ^ v0;
        v3 = Long.rotateLeft(v3, 16) ^ v2;
        v0 = Long.rotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = Long.rotateLeft(v1, 17) ^ v2;
        v3 = Long.rotateLeft(v3, 21) ^ v0;
        v2 = Long.rotateLeft(v2, 32);
      }
      v0 ^= word;
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }
}
