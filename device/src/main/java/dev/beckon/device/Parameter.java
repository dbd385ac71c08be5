package dev.beckon.device;

import dev.beckon.protocol.session.ParameterType;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A typed parameter of an {@link Action}. The server refuses a command whose arguments do not fit
 * before it queues it; the device checks again.
 *
 * <p>Immutable: each method returns a changed copy. Parameters are required unless {@link
 * #optional()}.
 */
public final class Parameter {
  private final String name;
  private final ParameterType type;
  private final boolean required;
  private final @Nullable Double minimum;
  private final @Nullable Double maximum;
  private final List<String> allowed;
  private final String description;

  private Parameter(
      String name,
      ParameterType type,
      boolean required,
      @Nullable Double minimum,
      @Nullable Double maximum,
      List<String> allowed,
      String description) {
    if (!name.matches("[A-Za-z0-9._:-]{1,64}")) {
      throw new IllegalArgumentException(
          "parameter: " + name + " (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
    }
    this.name = name;
    this.type = type;
    this.required = required;
    this.minimum = minimum;
    this.maximum = maximum;
    this.allowed = List.copyOf(allowed);
    this.description = description;
  }

  private static Parameter of(String name, ParameterType type) {
    return new Parameter(name, type, true, null, null, List.of(), "");
  }

  /** Any text. */
  public static Parameter text(String name) {
    return of(name, ParameterType.STRING);
  }

  /** A whole number of 64 bits, in decimal. */
  public static Parameter integer(String name) {
    return of(name, ParameterType.INTEGER);
  }

  /** A number, in decimal, such as {@code -1.5} or {@code 1e3}. */
  public static Parameter number(String name) {
    return of(name, ParameterType.NUMBER);
  }

  /** {@code true} or {@code false}. */
  public static Parameter flag(String name) {
    return of(name, ParameterType.BOOLEAN);
  }

  /** A command may leave it out. */
  public Parameter optional() {
    return new Parameter(name, type, false, minimum, maximum, allowed, description);
  }

  /** The range of a number, or of the length of a text; both ends included. */
  public Parameter between(double newMinimum, double newMaximum) {
    if (!(newMinimum <= newMaximum) || type == ParameterType.BOOLEAN) {
      throw new IllegalArgumentException(
          name + ": " + newMinimum + " to " + newMaximum + " (expected a range of numbers)");
    }
    return new Parameter(name, type, required, newMinimum, newMaximum, allowed, description);
  }

  /** The only values it may have. */
  public Parameter oneOf(String... values) {
    return new Parameter(name, type, required, minimum, maximum, List.of(values), description);
  }

  /** Says what it is for, for people. */
  public Parameter describedAs(String newDescription) {
    return new Parameter(name, type, required, minimum, maximum, allowed, newDescription);
  }

  public String name() {
    return name;
  }

  /** Whether a command must give it. */
  public boolean isRequired() {
    return required;
  }

  /** Whether it takes texts that no list names. */
  public boolean isFreeText() {
    return type == ParameterType.STRING && allowed.isEmpty();
  }

  /** What is wrong with the value, as {@code name: value (expected …)}; null if nothing is. */
  public @Nullable String refusal(String value) {
    boolean fits =
        switch (type) {
          case INTEGER -> isLong(value) && inRange(Double.parseDouble(value));
          case NUMBER -> isNumber(value) && inRange(Double.parseDouble(value));
          case BOOLEAN -> value.equals("true") || value.equals("false");
          default -> inRange(value.codePointCount(0, value.length()));
        };
    return fits && (allowed.isEmpty() || allowed.contains(value))
        ? null
        : name + ": " + value + " (expected " + expectation() + ")";
  }

  /** What fits, such as {@code an integer from 0 to 100}. */
  public String expectation() {
    if (!allowed.isEmpty()) {
      return "one of " + String.join(", ", allowed);
    }
    String range =
        minimum == null || maximum == null ? "" : plain(minimum) + " to " + plain(maximum);
    return switch (type) {
      case INTEGER -> "an integer" + (range.isEmpty() ? "" : " from " + range);
      case NUMBER -> "a number" + (range.isEmpty() ? "" : " from " + range);
      case BOOLEAN -> "true or false";
      default -> "text" + (range.isEmpty() ? "" : " of " + range + " characters");
    };
  }

  dev.beckon.protocol.session.Parameter toMessage() {
    dev.beckon.protocol.session.Parameter.Builder message =
        dev.beckon.protocol.session.Parameter.newBuilder()
            .setName(name)
            .setType(type)
            .setRequired(required)
            .addAllAllowed(allowed)
            .setDescription(description);
    if (minimum != null && maximum != null) {
      message.setMinimum(minimum).setMaximum(maximum);
    }
    return message.build();
  }

  private boolean inRange(double value) {
    return (minimum == null || value >= minimum) && (maximum == null || value <= maximum);
  }

  private static boolean isLong(String value) {
    try {
      Long.parseLong(value);
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static boolean isNumber(String value) {
    try {
      return Double.isFinite(new BigDecimal(value).doubleValue());
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static String plain(double number) {
    return new BigDecimal(number).stripTrailingZeros().toPlainString();
  }
}
