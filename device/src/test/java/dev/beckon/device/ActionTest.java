package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActionTest {
  @ParameterizedTest(name = "{0}={1}: {3}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          level   | 0     | true  | the lowest
          level   | 100   | true  | the highest
          level   | 101   | false | above the range
          level   | -1    | false | below the range
          level   | 5.0   | false | no integer
          level   | ''    | false | nothing
          level   | 99999999999999999999 | false | more than 64 bits
          tone    | 1e-1  | true  | a number in any notation
          tone    | NaN   | false | not a number at all
          tone    | 1e400 | false | infinite
          on      | true  | true  | the word
          on      | yes   | false | another word
          colour  | red   | true  | one of the allowed
          colour  | pink  | false | not one of the allowed
          label   | äöü   | true  | three characters, more bytes
          label   | abcd  | false | too long
          """)
  void checksValuesByTypeAndRange(String name, String value, boolean fits, String reason) {
    String refusal = all().refusal(Map.of(name, value), false);

    if (fits) {
      assertThat(refusal).as(reason).isNull();
    } else {
      assertThat(refusal).as(reason).startsWith(name + ": " + value + " (expected ");
    }
  }

  @Test
  void missesRequiredArgumentsOnly() {
    Action action =
        Action.named("volume").takes(Parameter.integer("level"), Parameter.flag("mute").optional());

    assertThat(action.refusal(Map.of("level", "1"), false)).isNull();
    assertThat(action.refusal(Map.of("mute", "true"), false))
        .isEqualTo("level: missing (expected an integer)");
  }

  @Test
  void refusesUnknownArgumentsUnlessItTakesThem() {
    assertThat(Action.named("a").refusal(Map.of("x", "1"), false)).contains("unknown argument");
    assertThat(Action.named("a").takesOtherArguments().refusal(Map.of("x", "1"), false)).isNull();
  }

  @Test
  void refusesABodyUnlessItTakesOne() {
    assertThat(Action.named("a").refusal(Map.of(), true)).startsWith("body: ");
    assertThat(Action.named("a").takesBody().refusal(Map.of(), true)).isNull();
  }

  @Test
  void refusesNamesThatWouldNotPassACommandLine() {
    assertThatThrownBy(() -> Action.named("two words")).hasMessageContaining("two words");
    assertThatThrownBy(() -> Parameter.text("a=b")).hasMessageContaining("a=b");
    assertThatThrownBy(() -> Action.named("a").takes(Parameter.text("x"), Parameter.flag("x")))
        .hasMessageContaining("once");
  }

  @Test
  void tellsTheServerWhatItTakes() {
    dev.beckon.protocol.session.Action message = all().toMessage();

    assertThat(message.getParametersList())
        .extracting(dev.beckon.protocol.session.Parameter::getName)
        .containsExactly("level", "tone", "on", "colour", "label");
    assertThat(message.getParameters(0).getMaximum()).isEqualTo(100);
    assertThat(message.getParameters(3).getAllowedList()).containsExactly("red", "green");
    assertThat(message.getParameters(1).hasMinimum()).isFalse();
  }

  private static Action all() {
    return Action.named("all")
        .takes(
            Parameter.integer("level").between(0, 100).optional(),
            Parameter.number("tone").optional(),
            Parameter.flag("on").optional(),
            Parameter.text("colour").oneOf("red", "green").optional(),
            Parameter.text("label").between(1, 3).optional());
  }
}
