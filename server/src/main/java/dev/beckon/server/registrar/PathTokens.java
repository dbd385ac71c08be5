package dev.beckon.server.registrar;

import java.nio.ByteBuffer;

/**
 * Mints and checks path tokens. A device proves that it receives at an address by echoing the token
 * that was sent there; the server keeps no state for it.
 *
 * <pre>token = SipHash(key, tag 8 ‖ address 16 ‖ port 2 ‖ epoch 8)</pre>
 *
 * <p>A token is used within one round trip, so an epoch of two minutes, with the one before it
 * still valid, is ample; a longer one would only give a thief more time. Not thread-safe.
 */
final class PathTokens {
  private static final int EPOCH_MILLIS = 120_000;

  private final SipHash hash;
  private final ByteBuffer input = ByteBuffer.allocate(8 + 16 + 2 + 8);

  PathTokens(byte[] key) {
    hash = new SipHash(key);
  }

  /** The token for a device at an address; never 0, which stands for none. */
  long mint(long tag, long addressHigh, long addressLow, int port, long nowMillis) {
    return token(tag, addressHigh, addressLow, port, nowMillis / EPOCH_MILLIS);
  }

  boolean isValid(
      long token, long tag, long addressHigh, long addressLow, int port, long nowMillis) {
    long epoch = nowMillis / EPOCH_MILLIS;
    return token != 0
        && (token == token(tag, addressHigh, addressLow, port, epoch)
            || token == token(tag, addressHigh, addressLow, port, epoch - 1));
  }

  private long token(long tag, long addressHigh, long addressLow, int port, long epoch) {
    input
        .clear()
        .putLong(tag)
        .putLong(addressHigh)
        .putLong(addressLow)
        .putShort((short) port)
        .putLong(epoch);
    long token = hash.hash(input.array(), 0, input.position());
    return token == 0 ? 1 : token;
  }
}
