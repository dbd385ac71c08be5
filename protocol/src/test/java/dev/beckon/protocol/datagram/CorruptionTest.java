package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever happens to a datagram on its way, it is refused. */
class CorruptionTest {
  private static final byte[] KEY = Hex.bytes("a5".repeat(32));

  private static final Random RANDOM = RandomSource.of("corruption");

  /** Several of each kind, plain and with FINGERPRINT. */
  static Stream<byte[]> datagrams() {
    return Stream.of(0, 1, 2)
        .flatMap(round -> Samples.MAKERS.stream())
        .map((Function<Random, Datagram> maker) -> maker.apply(RANDOM).encode(KEY))
        .flatMap(bytes -> Stream.of(bytes, Samples.withFingerprint(bytes)));
  }

  @ParameterizedTest
  @MethodSource("datagrams")
  void everySampleIsAuthenticUntilItIsChanged(byte[] bytes) {
    assertThat(Datagram.isAuthentic(bytes, bytes.length, KEY)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("datagrams")
  void everyFlippedBitIsRefused(byte[] bytes) {
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (0x80 >>> (bit % 8));

      assertThat(Datagram.isAuthentic(flipped, flipped.length, KEY)).as("bit %s", bit).isFalse();
    }
  }

  /** Also without the key, framing alone tells a truncated datagram. */
  @ParameterizedTest
  @MethodSource("datagrams")
  void everyPrefixIsMalformed(byte[] bytes) {
    for (int length = 0; length < bytes.length; length++) {
      int cut = length;
      assertThatThrownBy(() -> Datagram.decode(bytes, cut))
          .as("%s of %s bytes", cut, bytes.length)
          .isInstanceOf(MalformedDatagramException.class);
    }
  }

  /** As a prefix whose length field was made to fit, cut between two attributes or anywhere. */
  @ParameterizedTest
  @MethodSource("datagrams")
  void everyPrefixWithTheRightLengthFieldIsRefused(byte[] bytes) {
    int withoutFingerprint = RawDatagram.of(bytes).remove(Attribute.FINGERPRINT).bytes().length;
    for (int length = 20; length < withoutFingerprint; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      Bytes.put16(cut, 2, length - 20);

      assertThat(Datagram.isAuthentic(cut, length, KEY)).as("%s bytes", length).isFalse();
    }
  }

  @ParameterizedTest
  @MethodSource("datagrams")
  void aByteMoreIsMalformed(byte[] bytes) {
    for (int more = 1; more <= 8; more++) {
      byte[] longer = Arrays.copyOf(bytes, bytes.length + more);

      assertThatThrownBy(() -> Datagram.decode(longer, longer.length))
          .isInstanceOf(MalformedDatagramException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("datagrams")
  void anotherKeyIsRefused(byte[] bytes) {
    byte[] otherKey = KEY.clone();
    otherKey[31] ^= 1;

    assertThat(Datagram.isAuthentic(bytes, bytes.length, otherKey)).isFalse();
  }

  /** The type under the integrity fixes the direction: a mirror gets nobody anywhere. */
  @ParameterizedTest
  @MethodSource("datagrams")
  void anotherTypeIsRefused(byte[] bytes) {
    for (DatagramType type : DatagramType.values()) {
      if (type.code() != Bytes.u16(bytes, 0)) {
        byte[] mirrored = RawDatagram.of(bytes).type(type.code()).bytes();

        assertThat(Datagram.isAuthentic(mirrored, mirrored.length, KEY)).as("%s", type).isFalse();
      }
    }
  }

  @Test
  void theFingerprintOfAProxyMayBeAddedAndTakenAway() throws MalformedDatagramException {
    byte[] bytes = Samples.keepalive(new Random(7), false).encode(KEY);
    byte[] withFingerprint = Samples.withFingerprint(bytes);

    assertThat(Datagram.decode(withFingerprint, withFingerprint.length))
        .usingRecursiveComparison()
        .isEqualTo(Datagram.decode(bytes, bytes.length));
  }
}
