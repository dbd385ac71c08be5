package dev.beckon.agent.action;

import dev.beckon.device.Action;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.io.IOException;
import java.util.Map;

/** The actions {@code set} and {@code get}: typed values, kept across restarts. */
final class ValueActions {
  private static final String NAME = "name";

  private final Map<String, Value> known;
  private final ValueStore store;

  ValueActions(Map<String, Value> known, ValueStore store) {
    this.known = known;
    this.store = store;
  }

  Action setAction() {
    return Action.named("set")
        .describedAs("Sets values")
        .takes(known.values().stream().map(Value::parameter).toArray(Parameter[]::new))
        .checkedBy(
            arguments -> arguments.isEmpty() ? "arguments: none (expected name=value)" : null);
  }

  Action getAction() {
    return Action.named("get")
        .describedAs("Returns a value, or all of them")
        .takes(Parameter.text(NAME).optional().oneOf(known.keySet().toArray(new String[0])));
  }

  Result set(Command command) throws FailedException {
    try {
      store.set(command.arguments());
    } catch (IOException e) {
      throw new FailedException(
          Failure.CANNOT_WRITE,
          "values: cannot be kept (expected room and permission in the device's data folder; "
              + e.getMessage()
              + ")");
    }
    return BuiltInActions.withAll(command.arguments());
  }

  Result get(Command command) throws FailedException {
    if (!command.has(NAME)) {
      return BuiltInActions.withAll(store.all());
    }
    String name = command.text(NAME);
    String value = store.get(name);
    if (value == null) {
      throw new FailedException(
          Failure.NOT_SET, name + ": not set yet (expected it to be set first)");
    }
    return Result.of(name, value);
  }
}
