package dev.beckon.server.command;

import dev.beckon.protocol.Redaction;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Parameter;
import dev.beckon.protocol.session.ParameterType;
import dev.beckon.server.command.Submission.Refused;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether a command fits what its device declared: pure functions. What does not fit is refused
 * before it is queued; the device checks again.
 */
final class DeclaredActions {

  /** 18 digits fit a long on every device. */
  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]{1,18}");

  /** Digits have one place to go, or a long value that is no number takes seconds to refuse. */
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{1,3})?");

  private static final int MAX_SHOWN = 60;

  private DeclaredActions() {}

  /** Why the command does not fit; empty if it does. */
  static Optional<Refused> refusal(Actions declared, NewCommand command) {
    byte[] body = command.body();
    return refusal(
        declared,
        command.action(),
        command.args(),
        command.secretArgs(),
        body == null ? 0 : body.length);
  }

  /** As {@link #refusal(Actions, NewCommand)}, by what counts of the command. */
  static Optional<Refused> refusal(
      Actions declared,
      String asked,
      Map<String, String> args,
      Set<String> secret,
      long bodyBytes) {
    Action action =
        declared.getActionsList().stream()
            .filter(a -> a.getName().equals(asked))
            .findFirst()
            .orElse(null);
    if (action == null) {
      return Optional.of(
          new Refused(
              "action-unknown",
              "action: "
                  + shown(asked)
                  + " (expected one of "
                  + names(declared.getActionsList().stream().map(Action::getName).toList())
                  + ")"));
    }
    if (bodyBytes > 0 && !action.getAcceptsBody()) {
      return Optional.of(
          new Refused(
              "body-not-accepted",
              "body: "
                  + bodyBytes
                  + " bytes (expected none: action "
                  + action.getName()
                  + " takes no body)"));
    }
    return Optional.ofNullable(argumentRefusal(action, args, secret));
  }

  private static @Nullable Refused argumentRefusal(
      Action action, Map<String, String> args, Set<String> secret) {
    Map<String, Parameter> parameters = new TreeMap<>();
    action.getParametersList().forEach(p -> parameters.put(p.getName(), p));
    for (String name : new TreeMap<>(args).keySet()) {
      if (!parameters.containsKey(name) && !action.getAcceptsOtherArgs()) {
        return new Refused(
            "argument-unknown",
            "argument "
                + shown(name)
                + ": not known to action "
                + action.getName()
                + " (expected one of "
                + names(List.copyOf(parameters.keySet()))
                + ")");
      }
    }
    for (Parameter parameter : parameters.values()) {
      String value = args.get(parameter.getName());
      if (value == null && parameter.getRequired()) {
        return new Refused(
            "argument-missing",
            "argument "
                + parameter.getName()
                + ": missing (expected "
                + expected(parameter)
                + " for action "
                + action.getName()
                + ")");
      }
      if (value != null && !fits(parameter, value)) {
        return new Refused(
            "argument-invalid",
            "argument "
                + parameter.getName()
                + ": "
                + (secret.contains(parameter.getName()) ? Redaction.MARK : shown(value))
                + " (expected "
                + expected(parameter)
                + ")");
      }
    }
    return null;
  }

  private static boolean fits(Parameter parameter, String value) {
    if (parameter.getAllowedCount() > 0 && !parameter.getAllowedList().contains(value)) {
      return false;
    }
    return switch (parameter.getType()) {
      case INTEGER ->
          INTEGER.matcher(value).matches() && inRange(parameter, (double) Long.parseLong(value));
      case NUMBER ->
          NUMBER.matcher(value).matches() && inRange(parameter, Double.parseDouble(value));
      case BOOLEAN -> value.equals("true") || value.equals("false");
      case STRING -> inRange(parameter, value.codePointCount(0, value.length()));
      // A type of a later version: the device decides.
      case PARAMETER_TYPE_UNSPECIFIED, UNRECOGNIZED -> true;
    };
  }

  private static boolean inRange(Parameter parameter, double value) {
    return Double.isFinite(value)
        && (!parameter.hasMinimum() || value >= parameter.getMinimum())
        && (!parameter.hasMaximum() || value <= parameter.getMaximum());
  }

  private static String expected(Parameter parameter) {
    if (parameter.getAllowedCount() > 0) {
      return "one of " + names(parameter.getAllowedList());
    }
    return switch (parameter.getType()) {
      case INTEGER -> "an integer" + range(parameter, "");
      case NUMBER -> "a number" + range(parameter, "");
      case BOOLEAN -> "true or false";
      case STRING -> "text" + range(parameter, " characters");
      case PARAMETER_TYPE_UNSPECIFIED, UNRECOGNIZED -> "a value";
    };
  }

  private static String range(Parameter parameter, String unit) {
    String text = "";
    if (parameter.hasMinimum()) {
      text += " from " + number(parameter.getMinimum());
    }
    if (parameter.hasMaximum()) {
      text += " to " + number(parameter.getMaximum());
    }
    // Without a bound there is nothing that could be counted in the unit.
    return text.isEmpty() || parameter.getType() != ParameterType.STRING ? text : text + unit;
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  private static String names(List<String> names) {
    return names.isEmpty()
        ? "none"
        : names.stream()
            .limit(MAX_SHOWN)
            .map(DeclaredActions::shown)
            .collect(Collectors.joining(", "));
  }

  /** Short enough for a message. */
  static String shown(String text) {
    return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
  }
}
