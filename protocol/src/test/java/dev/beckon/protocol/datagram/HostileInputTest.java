package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Random bytes and mutated datagrams: refused with a reason, or read without any surprise. */
class HostileInputTest {
  private static final int INPUTS = 200_000;
  private static final byte[] KEY = Hex.bytes("77".repeat(32));
  private static final byte[] OTHER_KEY = Hex.bytes("88".repeat(32));

  private final Random random = RandomSource.of("hostile input");
  private final DatagramReader reader = new DatagramReader();
  private final DatagramReader unprotected = new DatagramReader(Security.NONE);
  private final HmacSha256 hmac = new HmacSha256();

  @Test
  void neverThrowsButNamesTheReason() {
    Set<Malformation> seen = EnumSet.noneOf(Malformation.class);
    int wellFormed = 0;
    for (int n = 0; n < INPUTS; n++) {
      byte[] bytes = input(n);
      try {
        Malformation malformation = reader.read(bytes, bytes.length);
        if (malformation == null) {
          wellFormed++;
          assertThat(reader.type()).isNotNull();
          assertThat(reader.isAuthentic(hmac, KEY)).isFalse();
        } else {
          seen.add(malformation);
        }
        assertDecodesAlike(bytes, malformation == null);
        Malformation unprotectedMalformation = unprotected.read(bytes, bytes.length);
        if (unprotectedMalformation == null) {
          assertThat(unprotected.isAuthentic(hmac, KEY)).isFalse();
        } else {
          seen.add(unprotectedMalformation);
        }
      } catch (RuntimeException | Error e) {
        throw new AssertionError("input " + n + ": " + Hex.of(bytes), e);
      }
    }

    // Otherwise the inputs are too tame.
    assertThat(wellFormed).isGreaterThan(INPUTS / 50);
    assertThat(seen).isEqualTo(EnumSet.allOf(Malformation.class));
  }

  private void assertDecodesAlike(byte[] bytes, boolean wellFormed) {
    boolean plain = wellFormed && reader.type() == DatagramType.PLAIN_BINDING_REQUEST;
    try {
      Datagram datagram = Datagram.decode(bytes, bytes.length);
      assertThat(wellFormed).isTrue();
      assertThat(datagram.encode(KEY)).isNotEmpty();
    } catch (MalformedDatagramException e) {
      assertThat(wellFormed && !plain).as("%s", e.reason()).isFalse();
    }
  }

  private byte[] input(int n) {
    return switch (n % 4) {
      case 0 -> noise(Samples.bytes(random, random.nextInt(600)));
      case 1 -> mutated(Samples.MAKERS.get(random.nextInt(Samples.MAKERS.size())).apply(random));
      case 2 -> rearranged();
      default -> soup();
    };
  }

  /** Noise, often with a STUN header so that it gets past the first checks. */
  private byte[] noise(byte[] bytes) {
    if (bytes.length >= 20 && random.nextInt(8) != 0) {
      Bytes.put16(bytes, 0, messageType());
      Bytes.put16(bytes, 2, bytes.length - 20);
      Bytes.put32(bytes, 4, DatagramReader.MAGIC_COOKIE);
    }
    return bytes;
  }

  /** A right datagram with a few bytes changed, then sometimes cut, with or without a checksum. */
  private byte[] mutated(Datagram datagram) {
    byte[] bytes = datagram.encode(OTHER_KEY);
    if (random.nextInt(3) == 0) {
      bytes = Samples.withFingerprint(bytes);
    }
    for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
    }
    return random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
  }

  /** Attributes of a right datagram dropped, doubled, added and overwritten; signed again. */
  private byte[] rearranged() {
    Datagram datagram = Samples.MAKERS.get(random.nextInt(Samples.MAKERS.size())).apply(random);
    RawDatagram raw = RawDatagram.of(datagram.encode(OTHER_KEY));
    int type = raw.types().get(random.nextInt(raw.types().size()));
    switch (random.nextInt(5)) {
      case 0 -> raw.remove(type);
      case 1 -> raw.addFirst(type, raw.value(type));
      case 2 -> raw.addFirst(attributeType(), Samples.bytes(random, random.nextInt(24)));
      case 3 -> raw.replace(type, new byte[raw.value(type).length]);
      default -> raw.replace(type, Samples.bytes(random, random.nextInt(24)));
    }
    return raw.sign(OTHER_KEY).bytes();
  }

  /** Any attributes of any lengths under any type. */
  private byte[] soup() {
    RawDatagram raw = RawDatagram.of(new WakeAnswer(new byte[12], 1).encode(OTHER_KEY));
    raw.type(messageType());
    for (int attributes = random.nextInt(10); attributes > 0; attributes--) {
      raw.addFirst(attributeType(), Samples.bytes(random, random.nextInt(70)));
    }
    return raw.bytes();
  }

  private int messageType() {
    return random.nextInt(10) == 0
        ? random.nextInt(0x4000)
        : List.of(DatagramType.values()).get(random.nextInt(DatagramType.values().length)).code();
  }

  private int attributeType() {
    int[] known = {
      Attribute.USERNAME,
      Attribute.MESSAGE_INTEGRITY,
      Attribute.MESSAGE_INTEGRITY_SHA256,
      Attribute.XOR_MAPPED_ADDRESS,
      Attribute.FINGERPRINT,
      Attribute.KEY,
      Attribute.SEQUENCE,
      Attribute.PATH_TOKEN,
      Attribute.STATUS,
      Attribute.WAKE_ID,
      Attribute.WAKE,
      Attribute.FILLER
    };
    return random.nextInt(5) == 0 ? random.nextInt(0x1_0000) : known[random.nextInt(known.length)];
  }
}
