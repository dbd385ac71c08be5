package dev.beckon.bench.dtls;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Protects DTLS 1.2 records with AES-128-GCM (RFC 5288). One for all devices; not thread-safe.
 *
 * <p>A record to a peer with a connection ID (RFC 9146, section 5.3):
 *
 * <pre>
 *   25 | fe fd | epoch 2 | sequence 6 | connection ID | length 2 | nonce 8 | ciphertext | tag 16
 * </pre>
 */
final class RecordCipher {
  static final int KEY_BYTES = 16;
  static final int SALT_BYTES = 4;
  static final int CONTENT_WITH_CONNECTION_ID = 25;
  static final int VERSION = 0xFEFD;

  private static final int EPOCH = 1;
  private static final int NONCE_BYTES = 8;
  private static final int TAG_BYTES = 16;
  private static final int MAX_PLAIN_BYTES = 256;

  private final Cipher cipher;
  private final byte[] nonce = new byte[SALT_BYTES + NONCE_BYTES];
  private final ByteBuffer additional = ByteBuffer.allocate(64);
  private final byte[] plain = new byte[MAX_PLAIN_BYTES];

  RecordCipher() throws GeneralSecurityException {
    cipher = Cipher.getInstance("AES/GCM/NoPadding");
  }

  /** The key of one direction of one session. */
  record Key(SecretKeySpec key, byte[] salt) {}

  /**
   * Appends a protected record.
   *
   * @param type of the content, which the record hides: 22 handshake, 23 application data
   * @param sequence of the record in epoch 1; never used twice
   */
  void protect(
      Key key, byte[] connectionId, long sequence, int type, ByteBuffer content, ByteBuffer out)
      throws GeneralSecurityException {
    int length = content.remaining();
    content.get(plain, 0, length);
    plain[length] = (byte) type;
    length++;
    long epochAndSequence = (long) EPOCH << 48 | sequence;
    additional
        .clear()
        .putLong(-1)
        .put((byte) CONTENT_WITH_CONNECTION_ID)
        .put((byte) connectionId.length)
        .put((byte) CONTENT_WITH_CONNECTION_ID)
        .putShort((short) VERSION)
        .putLong(epochAndSequence)
        .put(connectionId)
        .putShort((short) length);
    out.put((byte) CONTENT_WITH_CONNECTION_ID)
        .putShort((short) VERSION)
        .putLong(epochAndSequence)
        .put(connectionId)
        .putShort((short) (NONCE_BYTES + length + TAG_BYTES))
        .putLong(epochAndSequence);
    System.arraycopy(key.salt, 0, nonce, 0, SALT_BYTES);
    ByteBuffer.wrap(nonce).putLong(SALT_BYTES, epochAndSequence);
    cipher.init(Cipher.ENCRYPT_MODE, key.key, new GCMParameterSpec(TAG_BYTES * 8, nonce));
    cipher.updateAAD(additional.array(), 0, additional.position());
    byte[] protectedBytes = cipher.doFinal(plain, 0, length);
    out.put(protectedBytes);
  }
}
