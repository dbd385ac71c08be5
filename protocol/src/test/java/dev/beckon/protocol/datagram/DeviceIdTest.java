package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceIdTest {
  @ParameterizedTest
  @ValueSource(strings = {"a", "kitchen", "AZaz09._:-", "urn:dev:mac:0024befffe804ff1"})
  void takesOneTo64OfItsCharacters(String value) {
    assertThat(new DeviceId(value)).hasToString(value);
  }

  @Test
  void takes64CharactersAndNo65() {
    assertThat(new DeviceId("x".repeat(64)).bytes()).hasSize(64);
    assertThatThrownBy(() -> new DeviceId("x".repeat(65)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("device ID: " + "x".repeat(64) + "… (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "a b", "a/b", "a\n", "küche", "a\u0000", "aＡ", "@", "[", "`", "{"})
  void refusesEveryOtherText(String value) {
    assertThatThrownBy(() -> new DeviceId(value))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("device ID: " + value + " (expected");
  }

  @Test
  void allowsExactlyTheCharactersThatItNames() {
    StringBuilder allowed = new StringBuilder();
    for (int character = 0; character < 0x1_0000; character++) {
      if (DeviceId.isAllowed(character)) {
        allowed.append((char) character);
      }
    }

    assertThat(allowed)
        .hasToString("-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
  }
}
