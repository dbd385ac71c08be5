package dev.beckon.device;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Something the device can do when commanded: a name and typed parameters.
 *
 * <p>Immutable: each method returns a changed copy.
 */
public final class Action {
  private final String name;
  private final String description;
  private final List<Parameter> parameters;
  private final boolean body;
  private final boolean otherArguments;
  private final Check check;

  /** A check that types and ranges cannot express; made on the device only. */
  @FunctionalInterface
  public interface Check {
    /** What is wrong with the arguments, as {@code name: value (expected …)}; null if nothing. */
    @Nullable String refusal(Map<String, String> arguments);
  }

  private Action(
      String name,
      String description,
      List<Parameter> parameters,
      boolean body,
      boolean otherArguments,
      Check check) {
    if (!name.matches("[A-Za-z0-9._:-]{1,64}")) {
      throw new IllegalArgumentException(
          "action: " + name + " (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
    }
    Set<String> names = new HashSet<>();
    for (Parameter parameter : parameters) {
      if (!names.add(parameter.name())) {
        throw new IllegalArgumentException(
            "parameter: " + parameter.name() + " (expected once in action " + name + ")");
      }
    }
    this.name = name;
    this.description = description;
    this.parameters = List.copyOf(parameters);
    this.body = body;
    this.otherArguments = otherArguments;
    this.check = check;
  }

  /** An action without parameters. */
  public static Action named(String name) {
    return new Action(name, "", List.of(), false, false, arguments -> null);
  }

  /** Says what it does, for people. */
  public Action describedAs(String newDescription) {
    return new Action(name, newDescription, parameters, body, otherArguments, check);
  }

  /** Adds parameters. */
  public Action takes(Parameter... more) {
    List<Parameter> all = new ArrayList<>(parameters);
    all.addAll(List.of(more));
    return new Action(name, description, all, body, otherArguments, check);
  }

  /** A command may bring a body along. */
  public Action takesBody() {
    return new Action(name, description, parameters, true, otherArguments, check);
  }

  /** Arguments beyond the parameters are passed on as they are. */
  public Action takesOtherArguments() {
    return new Action(name, description, parameters, body, true, check);
  }

  /** Adds a check, made after those of the parameters. A later one replaces it. */
  public Action checkedBy(Check newCheck) {
    return new Action(name, description, parameters, body, otherArguments, newCheck);
  }

  public String name() {
    return name;
  }

  /** What is wrong with these arguments, as {@code name: value (expected …)}; null if nothing. */
  public @Nullable String refusal(Map<String, String> arguments, boolean hasBody) {
    Set<String> known = new HashSet<>();
    for (Parameter parameter : parameters) {
      known.add(parameter.name());
      String value = arguments.get(parameter.name());
      if (value == null) {
        if (parameter.isRequired()) {
          return parameter.name() + ": missing (expected " + parameter.expectation() + ")";
        }
        continue;
      }
      String refusal = parameter.refusal(value);
      if (refusal != null) {
        return refusal;
      }
    }
    for (String argument : arguments.keySet()) {
      if (!otherArguments && !known.contains(argument)) {
        return argument
            + ": unknown argument (expected "
            + (known.isEmpty() ? "none" : String.join(", ", parameterNames()))
            + ")";
      }
    }
    return hasBody && !body
        ? "body: present (expected none for action " + name + ")"
        : check.refusal(arguments);
  }

  dev.beckon.protocol.session.Action toMessage() {
    return dev.beckon.protocol.session.Action.newBuilder()
        .setName(name)
        .setDescription(description)
        .addAllParameters(parameters.stream().map(Parameter::toMessage).toList())
        .setAcceptsBody(body)
        .setAcceptsOtherArgs(otherArguments)
        .build();
  }

  private List<String> parameterNames() {
    return parameters.stream().map(Parameter::name).toList();
  }
}
