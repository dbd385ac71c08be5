package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No answer is larger than its request, so a spoofed source address gains nothing. */
class SizesTest {
  private static final byte[] KEY = new byte[32];
  private final Random random = new Random(21);

  static IntStream idLengths() {
    return IntStream.rangeClosed(1, DeviceId.MAX_LENGTH);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void answersTake80BytesForIpv4And92ForIpv6(boolean stale) {
    assertThat(Samples.answer(random, 4, stale).encode(KEY)).hasSize(80);
    assertThat(Samples.answer(random, 16, stale).encode(KEY)).hasSize(92);
  }

  @ParameterizedTest
  @MethodSource("idLengths")
  void aKeepaliveIsNeverShorterThanTheLongestAnswer(int idLength) {
    int needed = 76 + ((idLength + 3) & ~3);

    assertThat(keepalive(idLength, false)).hasSize(Math.max(92, needed));
    assertThat(keepalive(idLength, true)).hasSize(needed);
  }

  @ParameterizedTest
  @MethodSource("idLengths")
  void aKeepaliveCarriesAFillerOnlyIfItNeedsOne(int idLength) {
    boolean needed = 76 + ((idLength + 3) & ~3) < 92;

    assertThat(RawDatagram.of(keepalive(idLength, false)).types().contains(Attribute.FILLER))
        .isEqualTo(needed);
    assertThat(RawDatagram.of(keepalive(idLength, true)).types()).doesNotContain(Attribute.FILLER);
  }

  @ParameterizedTest
  @MethodSource("idLengths")
  void aWakeAnswerIsShorterThanItsWake(int idLength) {
    byte[] wake =
        new Wake(new byte[12], Samples.deviceId(random, idLength), 0, 0, 0, 0, 0, 0, 0).encode(KEY);

    assertThat(wake).hasSize(92 + ((idLength + 3) & ~3));
    assertThat(new WakeAnswer(new byte[12], 0).encode(KEY)).hasSize(52);
  }

  /** RFC 8489, section 6.1: below 548 bytes no IPv4 path has to fragment. */
  @Test
  void theLongestDatagramStaysFarBelowTheLimit() {
    assertThat(keepalive(64, false)).hasSize(140);
    assertThat(DatagramReader.MAX_BYTES).isEqualTo(548);
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
        .encode(KEY);
  }
}
