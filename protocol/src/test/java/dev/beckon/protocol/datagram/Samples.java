package dev.beckon.protocol.datagram;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.zip.CRC32;

/** Random messages of every kind, and what tests do to their bytes. */
final class Samples {
  private static final String ID_CHARACTERS =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";

  /** One maker per kind of message, each form that has bytes of its own included. */
  static final List<Function<Random, Datagram>> MAKERS =
      List.of(
          random -> keepalive(random, false),
          random -> keepalive(random, true),
          random -> answer(random, 4, false),
          random -> answer(random, 16, false),
          random -> answer(random, 4, true),
          random -> answer(random, 16, true),
          Samples::wake,
          random -> new WakeAnswer(bytes(random, 12), random.nextLong()));

  private Samples() {}

  static Keepalive keepalive(Random random, boolean oneWay) {
    return new Keepalive(
        bytes(random, 12),
        deviceId(random, 1 + random.nextInt(DeviceId.MAX_LENGTH)),
        random.nextInt(0x100),
        new Interval(1 + random.nextInt(0xFF)),
        random.nextInt(0x1_0000),
        bits(random, 48),
        random.nextInt(4) == 0 ? 0 : random.nextLong(),
        oneWay);
  }

  static KeepaliveAnswer answer(Random random, int addressBytes, boolean stale) {
    return new KeepaliveAnswer(
        bytes(random, 12),
        new InetSocketAddress(address(bytes(random, addressBytes)), random.nextInt(0x1_0000)),
        stale,
        random.nextBoolean(),
        bits(random, 48),
        bits(random, 32),
        stale ? 0 : random.nextLong(),
        stale ? bits(random, 48) : 0);
  }

  static Wake wake(Random random) {
    return new Wake(
        bytes(random, 12),
        deviceId(random, 1 + random.nextInt(DeviceId.MAX_LENGTH)),
        random.nextInt(0x100),
        random.nextInt(0x1_0000),
        random.nextLong(),
        bits(random, 48),
        random.nextInt(0x1_0000),
        bits(random, 32),
        bits(random, 48));
  }

  static DeviceId deviceId(Random random, int length) {
    StringBuilder id = new StringBuilder();
    for (int i = 0; i < length; i++) {
      id.append(ID_CHARACTERS.charAt(random.nextInt(ID_CHARACTERS.length())));
    }
    return new DeviceId(id.toString());
  }

  /** Mostly random, now and then an end of the range. */
  static long bits(Random random, int bits) {
    long max = (1L << bits) - 1;
    return switch (random.nextInt(8)) {
      case 0 -> 0;
      case 1 -> max;
      default -> random.nextLong() & max;
    };
  }

  static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  /** The same datagram with a FINGERPRINT behind its integrity, as a proxy may add. */
  static byte[] withFingerprint(byte[] datagram) {
    RawDatagram raw = RawDatagram.of(datagram);
    raw.add(Attribute.FINGERPRINT, new byte[Attribute.FINGERPRINT_LENGTH]);
    byte[] bytes = raw.bytes();
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, bytes.length - 8);
    Bytes.put32(bytes, bytes.length - 4, (int) crc.getValue() ^ 0x5354554E);
    return bytes;
  }
}
