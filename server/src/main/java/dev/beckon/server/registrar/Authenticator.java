package dev.beckon.server.registrar;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.datagram.HmacSha256;

/**
 * How datagrams that come are proven, and those that go are finished: all that the security mode
 * changes about datagrams on the server. Allocates nothing. Not thread-safe: one per thread.
 */
public abstract sealed class Authenticator {
  /** Bytes that {@link #keep} needs. */
  static final int KEPT_BYTES = DeviceKey.LENGTH;

  private Authenticator() {}

  /** What a server with this security does. */
  public static Authenticator of(Security security, MasterKey masterKeys) {
    return security.protectsDatagrams() ? new DerivedKeys(masterKeys) : new Unprotected();
  }

  /** A reader that takes datagrams of this security only. */
  abstract DatagramReader newReader();

  /**
   * Turns to one device: the next calls are about its datagrams.
   *
   * @return false if there is no such master key (any more), so that nothing of the device can be
   *     proven
   */
  public abstract boolean turnTo(
      int keyId, byte[] bytes, int idOffset, int idLength, int generation);

  /** Notes the device that was turned to, from {@code offset} on, for {@link #turnBack}. */
  abstract void keep(byte[] kept, int offset);

  /** Turns again to a device that was kept there. */
  abstract void turnBack(byte[] kept, int offset);

  /** Whether what was read is from the device. */
  public abstract boolean isAuthentic(DatagramReader datagram);

  /** Ends a datagram to the device; returns its length. */
  public abstract int finish(DatagramWriter datagram);

  /** An integrity under the device's key, which is derived anew each time. */
  private static final class DerivedKeys extends Authenticator {
    private final MasterKey masterKeys;
    private final HmacSha256 hmac = new HmacSha256();
    private final byte[] deviceKey = new byte[DeviceKey.LENGTH];

    DerivedKeys(MasterKey masterKeys) {
      this.masterKeys = masterKeys;
    }

    @Override
    DatagramReader newReader() {
      return new DatagramReader();
    }

    @Override
    public boolean turnTo(int keyId, byte[] bytes, int idOffset, int idLength, int generation) {
      byte[] masterKey = masterKeys.byId(keyId);
      if (masterKey == null) {
        return false;
      }
      DeviceKey.derive(hmac, masterKey, bytes, idOffset, idLength, generation, deviceKey);
      return true;
    }

    @Override
    void keep(byte[] kept, int offset) {
      System.arraycopy(deviceKey, 0, kept, offset, KEPT_BYTES);
    }

    @Override
    void turnBack(byte[] kept, int offset) {
      System.arraycopy(kept, offset, deviceKey, 0, KEPT_BYTES);
    }

    @Override
    public boolean isAuthentic(DatagramReader datagram) {
      return datagram.isAuthentic(hmac, deviceKey);
    }

    @Override
    public int finish(DatagramWriter datagram) {
      return datagram.finish(hmac, deviceKey);
    }
  }

  /** Security {@code none}: whoever sends is believed. */
  private static final class Unprotected extends Authenticator {
    @Override
    DatagramReader newReader() {
      return new DatagramReader(Security.NONE);
    }

    @Override
    public boolean turnTo(int keyId, byte[] bytes, int idOffset, int idLength, int generation) {
      return true;
    }

    @Override
    void keep(byte[] kept, int offset) {}

    @Override
    void turnBack(byte[] kept, int offset) {}

    @Override
    public boolean isAuthentic(DatagramReader datagram) {
      return true; // the reader let nothing through that carries an integrity
    }

    @Override
    public int finish(DatagramWriter datagram) {
      return datagram.finishUnprotected();
    }
  }
}
