package dev.beckon.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Parameter;
import dev.beckon.protocol.session.ParameterType;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DeclaredActionsTest {

  private static final Actions DECLARED =
      Actions.newBuilder()
          .addActions(
              Action.newBuilder()
                  .setName("set")
                  .addParameters(
                      parameter("volume", ParameterType.INTEGER).setMinimum(0).setMaximum(100))
                  .addParameters(
                      parameter("gain", ParameterType.NUMBER).setMinimum(-1.5).setMaximum(1.5))
                  .addParameters(parameter("any", ParameterType.NUMBER))
                  .addParameters(parameter("mute", ParameterType.BOOLEAN))
                  .addParameters(
                      parameter("name", ParameterType.STRING).setMinimum(1).setMaximum(4))
                  .addParameters(
                      parameter("mode", ParameterType.STRING)
                          .addAllowed("day")
                          .addAllowed("night")))
          .addActions(
              Action.newBuilder()
                  .setName("print")
                  .setAcceptsBody(true)
                  .setAcceptsOtherArgs(true)
                  .addParameters(parameter("copies", ParameterType.INTEGER).setRequired(true)))
          .build();

  private static Parameter.Builder parameter(String name, ParameterType type) {
    return Parameter.newBuilder().setName(name).setType(type);
  }

  private static String check(String action, Map<String, String> args, byte @Nullable [] body) {
    NewCommand command =
        new NewCommand(new DeviceId("kitchen"), action, args, body, Instant.EPOCH, null);
    return DeclaredActions.refusal(DECLARED, command)
        .map(refused -> refused.code() + " | " + refused.detail())
        .orElse("fits");
  }

  @ParameterizedTest
  @CsvSource({
    "volume, 0",
    "volume, 100",
    "volume, +7",
    "gain, -1.5",
    "gain, 1.5e0",
    "gain, .5",
    "any, -123456789.25",
    "mute, true",
    "mute, false",
    "name, a",
    "name, abcd",
    "name, \uD83D\uDE00\uD83D\uDE00\uD83D\uDE00\uD83D\uDE00",
    "mode, night",
  })
  void acceptsAValueWithinItsTypeAndRange(String name, String value) {
    assertThat(check("set", Map.of(name, value), null)).isEqualTo("fits");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "volume | -1 | an integer from 0 to 100",
        "volume | 101 | an integer from 0 to 100",
        "volume | 1.0 | an integer from 0 to 100",
        "volume | '' | an integer from 0 to 100",
        "volume | ' 7' | an integer from 0 to 100",
        "volume | ٧ | an integer from 0 to 100",
        "volume | 9999999999999999999 | an integer from 0 to 100",
        "gain | 1.51 | a number from -1.5 to 1.5",
        "gain | NaN | a number from -1.5 to 1.5",
        "gain | 0x1p0 | a number from -1.5 to 1.5",
        "any | Infinity | a number",
        "any | 1e999 | a number",
        "mute | TRUE | true or false",
        "mute | 1 | true or false",
        "name | '' | text from 1 to 4 characters",
        "name | abcde | text from 1 to 4 characters",
        "mode | noon | one of day, night",
      })
  void refusesAValueOutsideItsTypeOrRange(String name, String value, String expected) {
    assertThat(check("set", Map.of(name, value), null))
        .isEqualTo(
            "argument-invalid | argument " + name + ": " + value + " (expected " + expected + ")");
  }

  @Test
  void refusesAnActionThatWasNotDeclared() {
    assertThat(check("sett", Map.of(), null))
        .isEqualTo("action-unknown | action: sett (expected one of set, print)");
  }

  @Test
  void refusesAnArgumentThatWasNotDeclared() {
    assertThat(check("set", Map.of("colour", "red"), null))
        .isEqualTo(
            "argument-unknown | argument colour: not known to action set (expected one of any,"
                + " gain, mode, mute, name, volume)");
  }

  @Test
  void passesOtherArgumentsOnWhereTheActionTakesThem() {
    assertThat(check("print", Map.of("copies", "1", "colour", "red"), null)).isEqualTo("fits");
  }

  @Test
  void refusesAMissingArgument() {
    assertThat(check("print", Map.of(), null))
        .isEqualTo(
            "argument-missing | argument copies: missing (expected an integer for action print)");
  }

  @Test
  void refusesABodyWhereTheActionTakesNone() {
    assertThat(check("set", Map.of(), new byte[3]))
        .isEqualTo("body-not-accepted | body: 3 bytes (expected none: action set takes no body)");
    assertThat(check("set", Map.of(), new byte[0])).isEqualTo("fits");
    assertThat(check("print", Map.of("copies", "1"), new byte[3])).isEqualTo("fits");
  }

  @Test
  void keepsMessagesShort() {
    assertThat(check("set", Map.of("volume", "9".repeat(100_000)), null))
        .hasSizeLessThan(200)
        .contains("999…");
  }

  @Test
  @Timeout(5)
  void refusesALongValueThatIsAlmostANumberAtOnce() {
    assertThat(check("set", Map.of("any", "1".repeat(100_000) + "x"), null))
        .startsWith("argument-invalid");
  }

  @Test
  void limitsWhatNoActionMayExceed() {
    Map<String, String> many = new HashMap<>();
    for (int i = 0; i <= SubmissionLimits.MAX_ARGUMENTS; i++) {
      many.put("a" + i, "");
    }

    assertThat(limit("set", many, "k")).startsWith("arguments-too-large | arguments: 101 with ");
    assertThat(limit("set", Map.of("a", "x".repeat(48 * 1024)), "k"))
        .startsWith("arguments-too-large | arguments: 1 with 49153 bytes");
    assertThat(limit("set", Map.of("a b", ""), "k"))
        .isEqualTo(
            "argument-unknown | argument a b: not a name (expected 1 to 64 of A-Z a-z 0-9 . _ :"
                + " -)");
    assertThat(limit("", Map.of(), "k")).startsWith("action-unknown | action:  (expected");
    assertThat(limit("set", Map.of(), "a key")).startsWith("idempotency-key-invalid | ");
    assertThat(limit("set", Map.of(), "")).startsWith("idempotency-key-invalid | ");
    assertThat(limit("set", Map.of("a", "x"), "k")).isEqualTo("fits");
  }

  private static String limit(String action, Map<String, String> args, String key) {
    return SubmissionLimits.refusal(
            new NewCommand(new DeviceId("kitchen"), action, args, null, Instant.EPOCH, key))
        .map(refused -> refused.code() + " | " + refused.detail())
        .orElse("fits");
  }
}
