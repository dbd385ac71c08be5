package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HmacSha256Test {
  private final HmacSha256 hmac = new HmacSha256();

  /** RFC 4231, sections 4.2 to 4.6; the fifth is printed truncated to 128 bits. */
  @ParameterizedTest
  @CsvSource({
    "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b, 4869205468657265,"
        + " b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    "4a656665, 7768617420646f2079612077616e7420666f72206e6f7468696e673f,"
        + " 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,"
        + " dddddddddddddddddddddddddddddddddddddddddddddddddd"
        + "dddddddddddddddddddddddddddddddddddddddddddddddddd,"
        + " 773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    "0102030405060708090a0b0c0d0e0f10111213141516171819,"
        + " cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
        + "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd,"
        + " 82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c,"
        + " 546573742057697468205472756e636174696f6e,"
        + " a3b6167473100ee06e0c796c2955552b",
  })
  void agreesWithRfc4231(String key, String message, String expected) {
    assertThat(Hex.of(hmac(Hex.bytes(key), Hex.bytes(message)))).startsWith(expected);
  }

  /** Cases 6 and 7: by RFC 2104 a key longer than a block is replaced by its hash. */
  @ParameterizedTest
  @CsvSource({
    "Test Using Larger Than Block-Size Key - Hash Key First,"
        + " 60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    "This is a test using a larger than block-size key and a larger than block-size data."
        + " The key needs to be hashed before being used by the HMAC algorithm.,"
        + " 9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  })
  void agreesWithRfc4231OnceALongKeyIsHashed(String message, String expected)
      throws NoSuchAlgorithmException {
    byte[] longKey = new byte[131];
    java.util.Arrays.fill(longKey, (byte) 0xaa);
    byte[] key = MessageDigest.getInstance("SHA-256").digest(longKey);

    assertThat(Hex.of(hmac(key, message.getBytes(StandardCharsets.US_ASCII)))).isEqualTo(expected);
  }

  @Test
  void agreesWithTheJdkForRandomKeysAndMessages() {
    Random random = RandomSource.of("HMAC against javax.crypto.Mac");
    for (int round = 0; round < 5_000; round++) {
      byte[] key = Samples.bytes(random, 1 + random.nextInt(64));
      byte[] message = Samples.bytes(random, random.nextInt(300));

      assertThat(hmac(key, message)).as("round %s", round).isEqualTo(RawDatagram.mac(key, message));
    }
  }

  @Test
  void joinsWhatIsGivenInParts() {
    byte[] key = Hex.bytes("000102030405060708090a0b0c0d0e0f");
    byte[] out = new byte[40];

    hmac.init(key);
    hmac.update((byte) 1);
    hmac.update(Hex.bytes("ff0203ff"), 1, 2);
    hmac.doFinal(out, 8);

    assertThat(Hex.of(out))
        .isEqualTo("00".repeat(8) + Hex.of(RawDatagram.mac(key, Hex.bytes("010203"))));
  }

  @Test
  void joinsPartsOfAllSizes() {
    Random random = RandomSource.of("HMAC of parts");
    for (int round = 0; round < 2_000; round++) {
      byte[] key = Samples.bytes(random, 32);
      byte[] message = Samples.bytes(random, random.nextInt(2_000));
      byte[] out = new byte[HmacSha256.LENGTH];
      hmac.init(key);
      for (int at = 0; at < message.length; ) {
        int part = Math.min(message.length - at, 1 + random.nextInt(1 << random.nextInt(11)));
        if (part == 1) {
          hmac.update(message[at]);
        } else {
          hmac.update(message, at, part);
        }
        at += part;
      }
      if (random.nextInt(5) > 0) { // else it is dropped by the next init
        hmac.doFinal(out, 0);
        assertThat(out).as("round %s", round).isEqualTo(RawDatagram.mac(key, message));
      }
    }
  }

  @Test
  void forgetsAComputationThatWasNotFinished() {
    byte[] key = {1, 2, 3};
    hmac.init(new byte[] {9});
    hmac.update((byte) 42);

    assertThat(hmac(key, new byte[] {5})).isEqualTo(RawDatagram.mac(key, new byte[] {5}));
  }

  @Test
  void refusesAKeyLongerThanABlock() {
    assertThatThrownBy(() -> hmac.init(new byte[65]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("key length: 65 (expected <= 64 bytes)");
  }

  @Test
  void refusesAnOutputThatIsTooShort() {
    hmac.init(new byte[32]);

    assertThatThrownBy(() -> hmac.doFinal(new byte[32], 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private byte[] hmac(byte[] key, byte[] message) {
    byte[] out = new byte[HmacSha256.LENGTH];
    hmac.init(key);
    hmac.update(message, 0, message.length);
    hmac.doFinal(out, 0);
    return out;
  }
}
