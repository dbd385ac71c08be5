package dev.beckon.device.keepalive;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.MalformedDatagramException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The device's keys: the current one, and the former one until the server has answered under the
 * current one. (The server may not have taken the change up yet when the device has.) What the
 * security mode changes about datagrams on the device is here.
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

  private final Security security;
  private Key current;
  private @Nullable Key former;

  /** Protects datagrams. */
  public KeyRing(Key current) {
    this(Security.MUTUAL, current);
  }

  /**
   * @param security whether datagrams carry an integrity, both ways; without one the keys only tell
   *     their IDs
   */
  public KeyRing(Security security, Key current) {
    this.security = security;
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

  /** The datagram's bytes, as the device sends them under the key. */
  public byte[] encode(Datagram datagram, Key key) {
    return security.protectsDatagrams() ? datagram.encode(key.key()) : datagram.encodeUnprotected();
  }

  /**
   * Reads what came from the server.
   *
   * @throws MalformedDatagramException if it is no datagram, or one of another security
   */
  public Datagram decode(byte[] datagram, int length) throws MalformedDatagramException {
    return Datagram.decode(datagram, length, security);
  }

  /** The key that the datagram is authentic under, or null if it is under none. */
  public @Nullable Key authenticate(byte[] datagram, int length) {
    if (!security.protectsDatagrams()) {
      return current; // anybody is believed; decode refuses what carries an integrity
    }
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
