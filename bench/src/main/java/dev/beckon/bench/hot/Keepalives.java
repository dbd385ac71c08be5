package dev.beckon.bench.hot;

import dev.beckon.lab.fleet.FleetIds;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.datagram.HmacSha256;
import java.util.Arrays;
import java.util.Random;

/** Genuine keepalives of randomly chosen devices, signed ahead. Not thread-safe. */
final class Keepalives {
  static final int KEY_ID = 1;
  static final int GENERATION = 1;
  private static final int INTERVAL_SECONDS = 60;

  private final byte[] masterKey = new byte[DeviceKey.LENGTH];
  private final byte[][] datagrams;
  private final byte[][] ids;
  private final int[] devices;
  private final DatagramType type;
  private final HmacSha256 hmac = new HmacSha256();
  private final DatagramWriter writer = new DatagramWriter();
  private final byte[] deviceKey = new byte[DeviceKey.LENGTH];

  /**
   * @param count of datagrams
   * @param fleet the devices are below this number
   */
  Keepalives(int count, int fleet, boolean oneWay) {
    Arrays.fill(masterKey, (byte) 0x42);
    type = oneWay ? DatagramType.ONE_WAY_KEEPALIVE : DatagramType.KEEPALIVE;
    datagrams = new byte[count][];
    ids = new byte[count][];
    devices = new Random(1).ints(count, 0, fleet).toArray();
    for (int i = 0; i < count; i++) {
      ids[i] = FleetIds.of(devices[i]).bytes();
      datagrams[i] = new byte[write(i, 0)];
    }
  }

  /** The master key that the devices' keys come from. */
  byte[] masterKey() {
    return masterKey;
  }

  /**
   * Makes all of them anew, without allocating anything.
   *
   * @param sequence of the first one; each has one more than the one before
   */
  void sign(long sequence) {
    for (int i = 0; i < datagrams.length; i++) {
      int length = write(i, sequence + i);
      System.arraycopy(writer.bytes(), 0, datagrams[i], 0, length);
    }
  }

  private int write(int i, long sequence) {
    byte[] id = ids[i];
    DeviceKey.derive(hmac, masterKey, id, 0, id.length, GENERATION, deviceKey);
    // Transaction IDs need not be random here: nobody guesses.
    writer
        .begin(type, id, 0)
        .deviceId(id, 0, id.length)
        .key(KEY_ID, INTERVAL_SECONDS, GENERATION)
        .sequence(sequence)
        .pathToken(0);
    if (type == DatagramType.KEEPALIVE) {
      writer.fillTo(DatagramReader.MIN_KEEPALIVE_BYTES, true);
    }
    return writer.finish(hmac, deviceKey);
  }

  byte[] datagram(int i) {
    return datagrams[i];
  }

  /** Number of the device that sent it. */
  int device(int i) {
    return devices[i];
  }
}
