package dev.beckon.server.registrar;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SipHashTest {
  /** From the reference implementation's table: key 00..0f, input 00 01 02 … of each length. */
  @ParameterizedTest
  @CsvSource({
    "0, 726fdb47dd0e0e31",
    "1, 74f839c593dc67fd",
    "7, ab0200f58b01d137",
    "8, 93f5f5799a932462",
    "15, a129ca6149be45e5"
  })
  void givesTheReferenceResults(int length, String expected) {
    byte[] key = new byte[16];
    byte[] input = new byte[length + 3];
    for (int i = 0; i < 16; i++) {
      key[i] = (byte) i;
    }
    for (int i = 0; i < length; i++) {
      input[i + 3] = (byte) i;
    }

    assertThat(Long.toHexString(new SipHash(key).hash(input, 3, length))).isEqualTo(expected);
  }
}
