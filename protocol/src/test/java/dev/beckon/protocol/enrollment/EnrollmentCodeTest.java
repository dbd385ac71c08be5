package dev.beckon.protocol.enrollment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EnrollmentCodeTest {

  private static final byte[] FINGERPRINT =
      HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  private static final byte[] SECRET = HexFormat.of().parseHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  private static final Instant EXPIRY = Instant.parse("2026-05-04T03:02:01Z");

  private static final String GOLDEN =
      "beckon1:203.0.113.100:5349:"
          + "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f8PHy8_T19vf4-fr7_P3-_2n4DCnDWuSa";

  private static EnrollmentCode code(String host) {
    return new EnrollmentCode(host, 5349, FINGERPRINT, SECRET, EXPIRY);
  }

  @Test
  void writesTheLineOfTheDocumentedLayout() {
    assertThat(code("203.0.113.100").format()).isEqualTo(GOLDEN);
  }

  @Test
  void readsTheLineOfTheDocumentedLayout() {
    assertThat(EnrollmentCode.parse(GOLDEN)).isEqualTo(code("203.0.113.100"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"192.0.2.1", "beckon.example.org", "2001:db8::1", "fe80::1%eth0", "a"})
  void readsBackWhatItWrote(String host) {
    EnrollmentCode code = code(host);

    assertThat(EnrollmentCode.parse(code.format())).isEqualTo(code);
  }

  @Test
  void putsAnIpv6HostInBrackets() {
    assertThat(code("2001:db8::1").format()).startsWith("beckon1:[2001:db8::1]:5349:");
  }

  @Test
  void ignoresWhiteSpaceAroundTheLine() {
    assertThat(EnrollmentCode.parse(" \t" + GOLDEN + "\r\n")).isEqualTo(code("203.0.113.100"));
  }

  @Test
  void keepsAnExpiryBeyondTheSignedRange() {
    Instant late = Instant.ofEpochSecond(0xFFFF_FFFFL);
    EnrollmentCode code = new EnrollmentCode("h", 1, FINGERPRINT, SECRET, late);

    assertThat(EnrollmentCode.parse(code.format()).expiry()).isEqualTo(late);
  }

  @Test
  void refusesEveryPrefixOfALine() {
    for (int length = 0; length < GOLDEN.length(); length++) {
      String prefix = GOLDEN.substring(0, length);
      assertThatThrownBy(() -> EnrollmentCode.parse(prefix))
          .as("prefix of %d characters", length)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("enrollment code: ")
          .hasMessageContaining("(expected");
    }
  }

  @Test
  void refusesEveryChangedCharacter() {
    for (int at = 0; at < GOLDEN.length(); at++) {
      char changed = GOLDEN.charAt(at) == '7' ? '8' : '7';
      String line = GOLDEN.substring(0, at) + changed + GOLDEN.substring(at + 1);
      assertThatThrownBy(() -> EnrollmentCode.parse(line))
          .as("character %d changed: %s", at, line)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "kitchen",
        "beckon2:203.0.113.100:5349:AQAB",
        "beckon1::5349:AQAB",
        "beckon1:203.0.113.100:5349:not base64",
        "beckon1:203.0.113.100:5349:",
      })
  void saysWhatToDoAboutAnUnreadableLine(String line) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EnrollmentCode.parse(line))
        .withMessageStartingWith("enrollment code: ")
        .withMessageContaining("beckon device add");
  }

  @Test
  void refusesALineOfAnyLength() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EnrollmentCode.parse("beckon1:h:1:" + "A".repeat(1_000_000)))
        .withMessageContaining("longer than");
  }

  @Test
  void neverRepeatsTheSecretInAMessage() {
    String payload = GOLDEN.substring(GOLDEN.lastIndexOf(':') + 1);
    String damaged = "beckon1:203.0.113.100:5349:" + payload + "*";

    assertThatThrownBy(() -> EnrollmentCode.parse(damaged))
        .message()
        .doesNotContain(payload)
        .doesNotContain("*");
    assertThat(code("h").toString())
        .doesNotContain(HexFormat.of().formatHex(SECRET))
        .doesNotContain(Base64.getUrlEncoder().encodeToString(SECRET));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "a/b", "münchen.example", "[::1]"})
  void refusesAHostThatIsNone(String host) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> code(host))
        .withMessageStartingWith("host: " + host);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65536})
  void refusesAPortThatIsNone(int port) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EnrollmentCode("h", port, FINGERPRINT, SECRET, EXPIRY))
        .withMessage("port: " + port + " (expected 1 to 65535)");
  }

  @Test
  void refusesFingerprintAndSecretOfAnotherLength() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EnrollmentCode("h", 1, new byte[31], SECRET, EXPIRY))
        .withMessage("CA fingerprint: 31 bytes (expected 32)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EnrollmentCode("h", 1, FINGERPRINT, new byte[17], EXPIRY))
        .withMessage("secret: 17 bytes (expected 16)");
  }
}
