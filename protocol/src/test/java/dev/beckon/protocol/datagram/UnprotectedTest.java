package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.beckon.protocol.Security;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Security {@code none}: no integrity is sent, none is taken, and every other rule holds. */
class UnprotectedTest {
  private static final byte[] KEY = Hex.bytes("3a".repeat(32));
  private final Random random = new Random(41);

  static Stream<Function<Random, Datagram>> makers() {
    return Samples.MAKERS.stream();
  }

  static IntStream idLengths() {
    return IntStream.rangeClosed(1, DeviceId.MAX_LENGTH);
  }

  @ParameterizedTest
  @MethodSource("makers")
  void everyMessageComesBackAsItWasWritten(Function<Random, Datagram> maker)
      throws MalformedDatagramException {
    Datagram message = maker.apply(random);
    byte[] bytes = message.encodeUnprotected();

    assertThat(RawDatagram.of(bytes).types()).doesNotContain(Attribute.MESSAGE_INTEGRITY_SHA256);
    assertThat(Datagram.decode(bytes, bytes.length, Security.NONE))
        .usingRecursiveComparison()
        .isEqualTo(message);
  }

  @ParameterizedTest
  @MethodSource("makers")
  void anIntegrityThatNobodyWouldCheckIsRefused(Function<Random, Datagram> maker) {
    byte[] bytes = maker.apply(random).encode(KEY);

    assertRefused(bytes, Security.NONE, Malformation.INTEGRITY_UNEXPECTED);
  }

  @ParameterizedTest
  @EnumSource(
      value = Security.class,
      names = {"MUTUAL", "SERVER"})
  void withoutAnIntegrityNothingPassesWhereThereMustBeOne(Security security) {
    for (Function<Random, Datagram> maker : Samples.MAKERS) {
      byte[] bytes = maker.apply(random).encodeUnprotected();

      assertRefused(bytes, security, Malformation.INTEGRITY_MISSING);
      assertThat(Datagram.isAuthentic(bytes, bytes.length, KEY)).isFalse();
    }
  }

  @ParameterizedTest
  @MethodSource("idLengths")
  void aKeepaliveIsNeverShorterThan92BytesHereEither(int idLength) {
    int needed = 56 + ((idLength + 3) & ~3);

    assertThat(keepalive(idLength, false)).hasSize(Math.max(92, needed));
    assertThat(keepalive(idLength, true)).hasSize(needed);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anAnswerIsSmallerThanEveryKeepalive(boolean stale) {
    assertThat(Samples.answer(random, 4, stale).encodeUnprotected()).hasSize(60);
    assertThat(Samples.answer(random, 16, stale).encodeUnprotected()).hasSize(72);
  }

  @ParameterizedTest
  @MethodSource("idLengths")
  void aWakeAnswerIsShorterThanItsWakeHereToo(int idLength) {
    byte[] wake =
        new Wake(new byte[12], Samples.deviceId(random, idLength), 0, 0, 0, 0, 0, 0, 0)
            .encodeUnprotected();

    assertThat(wake).hasSize(72 + ((idLength + 3) & ~3));
    assertThat(new WakeAnswer(new byte[12], 0).encodeUnprotected()).hasSize(32);
  }

  private static void assertRefused(byte[] bytes, Security security, Malformation reason) {
    assertThatExceptionOfType(MalformedDatagramException.class)
        .isThrownBy(() -> Datagram.decode(bytes, bytes.length, security))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
  }

  private byte[] keepalive(int idLength, boolean oneWay) {
    return new Keepalive(
            new byte[12],
            Samples.deviceId(random, idLength),
            1,
            new Interval(25),
            1,
            1_767_225_600_000L,
            random.nextLong(),
            oneWay)
        .encodeUnprotected();
  }
}
