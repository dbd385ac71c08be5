package dev.beckon.agent;

import dev.beckon.device.Action;
import dev.beckon.device.Command;
import dev.beckon.device.Device;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What an agent can do without a line of code: {@code echo} and {@code display} always, {@code
 * set}, {@code get} and {@code run} as far as the configuration says.
 */
final class BuiltInActions {
  private static final String NAME = "name";

  private BuiltInActions() {}

  static Device.Builder addTo(
      Device.Builder builder, AgentConfig config, ValueStore values, Consumer<String> display)
      throws ConfigException {
    builder.action(
        Action.named("echo")
            .describedAs("Returns its arguments and its body")
            .takesOtherArguments()
            .takesBody(),
        BuiltInActions::echo);
    builder.action(
        Action.named("display")
            .describedAs("Shows a text")
            .takes(Parameter.text("text").between(0, 10_000)),
        command -> {
          display.accept(command.text("text"));
          return Result.of("text", command.text("text"));
        });
    if (!config.values().isEmpty()) {
      addValues(builder, config, values);
    }
    if (!config.programs().isEmpty()) {
      RunAction run = new RunAction(config.programs());
      builder.action(run.action(), run);
    }
    return builder;
  }

  private static void addValues(Device.Builder builder, AgentConfig config, ValueStore values) {
    Parameter[] all =
        config.values().values().stream()
            .map(AgentConfig.Value::parameter)
            .toArray(Parameter[]::new);
    builder.action(
        Action.named("set")
            .describedAs("Sets values")
            .takes(all)
            .checkedBy(BuiltInActions::refusalOfNothing),
        command -> {
          values.set(command.arguments());
          return withAll(command.arguments());
        });
    builder.action(
        Action.named("get")
            .describedAs("Returns a value, or all of them")
            .takes(
                Parameter.text(NAME)
                    .optional()
                    .oneOf(config.values().keySet().toArray(new String[0]))),
        command -> get(command, values));
  }

  private static @Nullable String refusalOfNothing(Map<String, String> arguments) {
    return arguments.isEmpty() ? "arguments: none (expected name=value)" : null;
  }

  private static Result get(Command command, ValueStore values) {
    if (!command.has(NAME)) {
      return withAll(values.all());
    }
    String name = command.text(NAME);
    String value = values.get(name);
    return value == null
        ? Result.failed(name + ": not set yet (expected it to be set first)")
        : Result.of(name, value);
  }

  private static Result echo(Command command) throws IOException {
    Result result = withAll(command.arguments());
    if (command.bodyBytes() == 0) {
      return result;
    }
    try (InputStream body = command.body()) {
      return result.withBody(body.readAllBytes());
    }
  }

  private static Result withAll(Map<String, String> values) {
    Result result = Result.ok();
    for (Map.Entry<String, String> value : values.entrySet()) {
      result = result.with(value.getKey(), value.getValue());
    }
    return result;
  }
}
