package dev.beckon.device.keepalive;

import dev.beckon.protocol.datagram.Datagram;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The device's keys: the current one, and the former one until the server has answered under the
 * current one. (The server may not have taken the change up yet when the device has.)
 *
 * <p>Not thread-safe; owned by the thread that handles datagrams.
 */
public final class KeyRing {
  /**
   * A device key and what the server needs to derive the same.
   *
   * @param keyId of the master key, 0 to 255
   * @param generation of the device's identity, 0 to 65,535
   * @param key 32 bytes, not to be changed
   */
  public record Key(int keyId, int generation, byte[] key) {}

  private Key current;
  private @Nullable Key former;

  public KeyRing(Key current) {
    this.current = current;
  }

  /** The key to send under. */
  public Key current() {
    return current;
  }

  /**
   * Sends under {@code next} from now on; what comes under the present key is still believed. The
   * same key once more changes nothing.
   */
  public void renew(Key next) {
    if (!Arrays.equals(next.key(), current.key())) {
      former = current;
      current = next;
    }
  }

  /** The key that the datagram is authentic under, or null if it is under none. */
  public @Nullable Key authenticate(byte[] datagram, int length) {
    if (Datagram.isAuthentic(datagram, length, current.key())) {
      return current;
    }
    Key old = former;
    return old != null && Datagram.isAuthentic(datagram, length, old.key()) ? old : null;
  }

  /** The server answered under {@code key}: if it is the current one the former is forgotten. */
  void answered(Key key) {
    if (key == current) {
      former = null;
    }
  }

  boolean hasFormer() {
    return former != null;
  }
}
