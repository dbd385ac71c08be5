package dev.beckon.protocol.datagram;

import java.nio.charset.StandardCharsets;

/**
 * The secret that a device and the server share for datagrams. The server stores none: it derives
 * each from a master key, so ten million devices cost it no memory.
 *
 * <pre>deviceKey = HMAC-SHA256(masterKey, "beckon/1 device key" ‖ device ID ‖ generation)</pre>
 *
 * <p>The label has a fixed length and the generation fixed two bytes, so no two inputs collide.
 */
public final class DeviceKey {
  /** Length of master keys and device keys in bytes. */
  public static final int LENGTH = HmacSha256.LENGTH;

  /** Generations are counted from 1; the field in KEY has 16 bits. */
  public static final int MAX_GENERATION = 0xFFFF;

  private static final byte[] LABEL = "beckon/1 device key".getBytes(StandardCharsets.US_ASCII);

  private DeviceKey() {}

  /**
   * Derives the key of a device's generation (0 to 65,535).
   *
   * @throws IllegalArgumentException if the generation is out of range or the master key is not 32
   *     bytes long
   */
  public static byte[] derive(byte[] masterKey, DeviceId deviceId, int generation) {
    if (masterKey.length != LENGTH) {
      throw new IllegalArgumentException(
          "master key: " + masterKey.length + " bytes (expected " + LENGTH + ")");
    }
    Records.checkBits("generation", generation, 16);
    byte[] id = deviceId.bytes();
    byte[] out = new byte[LENGTH];
    derive(new HmacSha256(), masterKey, id, 0, id.length, generation, out);
    return out;
  }

  /** As {@link #derive(byte[], DeviceId, int)}, without allocation: the key goes to {@code out}. */
  public static void derive(
      HmacSha256 hmac,
      byte[] masterKey,
      byte[] bytes,
      int idOffset,
      int idLength,
      int generation,
      byte[] out) {
    hmac.init(masterKey);
    hmac.update(LABEL, 0, LABEL.length);
    hmac.update(bytes, idOffset, idLength);
    hmac.update((byte) (generation >>> 8));
    hmac.update((byte) generation);
    hmac.doFinal(out, 0);
  }
}
