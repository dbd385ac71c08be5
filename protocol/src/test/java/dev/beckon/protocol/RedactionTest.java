package dev.beckon.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedactionTest {

  private static Redaction of(String... secrets) {
    return Redaction.of(List.of(secrets));
  }

  @Test
  void hidesAValueWhereverItOccurs() {
    assertThat(of("hunter2").text("pin=hunter2;xhunter2hunter2y"))
        .isEqualTo("pin=(secret);x(secret)y");
    assertThat(of("hunter2").text("hunter")).isEqualTo("hunter");
    assertThat(of("hunter2").text("")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "7,      'step 7 of 17',       'step (secret) of 17'",
    "abc,    'abc abcd xabc a-abc','(secret) abcd xabc a-(secret)'",
    "123,    '[123]',              '[(secret)]'",
    "1234,   'x12345',             'x(secret)5'",
  })
  void hidesAShortValueOnlyWhereItStandsAlone(String secret, String text, String shown) {
    assertThat(of(secret).text(text)).isEqualTo(shown);
  }

  @Test
  void hidesTheFormsThatProgramsGiveAValue() {
    String secret = "pä\"ss wörd/\\?";
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    Redaction redaction = of(secret);

    assertThat(redaction.text("{\"pin\":\"pä\\\"ss wörd/\\\\?\"}"))
        .isEqualTo("{\"pin\":\"(secret)\"}");
    assertThat(redaction.text("q=p%C3%A4%22ss+w%C3%B6rd%2F%5C%3F&")).isEqualTo("q=(secret)&");
    assertThat(redaction.text("q=p%C3%A4%22ss%20w%C3%B6rd%2F%5C%3F&")).isEqualTo("q=(secret)&");
    assertThat(redaction.text("q=p%c3%a4%22ss+w%c3%b6rd%2f%5c%3f&")).isEqualTo("q=(secret)&");
    assertThat(redaction.text("q=p%c3%a4%22ss%20w%c3%b6rd%2f%5c%3f&")).isEqualTo("q=(secret)&");
    assertThat(redaction.text(Base64.getEncoder().encodeToString(bytes))).startsWith("(secret)");
    assertThat(redaction.text(Base64.getUrlEncoder().encodeToString(bytes))).startsWith("(secret)");
    assertThat(redaction.text("70c3a4227373 70c3a422737320 70c3a42273732077c3b672642f5c3f"))
        .isEqualTo("70c3a4227373 70c3a422737320 (secret)");
    assertThat(redaction.text("70C3A42273732077C3B672642F5C3F")).isEqualTo("(secret)");
  }

  @Test
  void hidesEveryWayToPercentEncode() {
    Redaction redaction = of("p*ss~w rd");

    assertThat(redaction.text("q=p%2Ass~w%20rd&")).as("RFC 3986").isEqualTo("q=(secret)&");
    assertThat(redaction.text("q=p*ss%7Ew+rd&")).as("a form").isEqualTo("q=(secret)&");
  }

  @Test
  void hidesTheLinesOfALongerValue() {
    Redaction redaction = of("first line of it\n{\nsecond line of it\r\n");

    assertThat(redaction.text("error at { in 'second line of it'"))
        .isEqualTo("error at { in '(secret)'");
    assertThat(redaction.text("first line of it\n{\nsecond line of it\n")).doesNotContain("line");
  }

  @Test
  void hidesTheBeginningOfAValueThatWasCutOff() {
    assertThat(of("correct horse battery").text("text: correct hor…")).isEqualTo("text: (secret)…");
    assertThat(of("correct horse battery").text("text: correct hor"))
        .isEqualTo("text: correct hor");
    assertThat(of("correct horse battery").text("corre…")).isEqualTo("corre…");
  }

  @Test
  void neverHidesWhatAnotherSecretLeftBehind() {
    assertThat(of("hunter2", "secret", "a").text("a hunter2")).isEqualTo("(secret) (secret)");
  }

  @Test
  void ignoresWhiteSpaceAroundAValueAndBlankValues() {
    assertThat(of("  hunter2\n").text("<hunter2>")).isEqualTo("<(secret)>");
    assertThat(of("", " \n").isEmpty()).isTrue();
    assertThat(of("").text("anything")).isEqualTo("anything");
  }

  @Test
  void hidesValuesInMapsAndAmongTheirNames() {
    assertThat(of("hunter2").texts(Map.of("pin", "is hunter2", "hunter2", "x")))
        .isEqualTo(Map.of("pin", "is (secret)", "(secret)", "x"));
  }

  @Test
  void hidesEverythingOnceTheSecretsAreGone() {
    assertThat(Redaction.ALL.text("anything")).isEqualTo("(secret)");
    assertThat(Redaction.ALL.text("")).isEmpty();
    assertThat(Redaction.ALL.texts(Map.of("exit", "0"))).isEqualTo(Map.of("exit", "(secret)"));
    assertThat(Redaction.ALL.occursIn(new byte[] {1})).isTrue();
    assertThat(Redaction.NONE.text("anything")).isEqualTo("anything");
    assertThat(Redaction.NONE.occursIn(new byte[] {1})).isFalse();
  }

  @Test
  void findsAValueInBytesOfAnyKind() {
    byte[] picture = new byte[300];
    for (int i = 0; i < picture.length; i++) {
      picture[i] = (byte) i;
    }
    assertThat(of("wörd").occursIn(picture)).isFalse();
    System.arraycopy("wörd".getBytes(StandardCharsets.UTF_8), 0, picture, 200, 5);
    assertThat(of("wörd").occursIn(picture)).isTrue();
    assertThat(of("abc").occursIn("abc".getBytes(StandardCharsets.UTF_8)))
        .as("too short")
        .isFalse();
  }
}
