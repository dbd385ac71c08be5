package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Device;
import dev.beckon.device.Result;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What an agent can do without a line of code: {@code echo} and {@code display} always, the others
 * as far as the configuration says.
 */
public final class BuiltInActions {
  private final Map<Action, ActionHandler> all = new LinkedHashMap<>();

  private BuiltInActions() {}

  /**
   * Adds them to a device.
   *
   * @param folder the device's data folder, where values are kept
   * @param terminal shows a text there
   * @throws ConfigException if parts of the configuration contradict each other
   * @throws IOException if the values cannot be read
   */
  public static Device.Builder addTo(
      Device.Builder builder, ActionsConfig config, Path folder, Consumer<String> terminal)
      throws ConfigException, IOException {
    all(config, folder, terminal).forEach(builder::action);
    return builder;
  }

  /** Those that the configuration allows, and what carries each out. */
  static Map<Action, ActionHandler> all(
      ActionsConfig config, Path folder, Consumer<String> terminal)
      throws ConfigException, IOException {
    BuiltInActions actions = new BuiltInActions();
    actions.addAll(config, folder, terminal);
    return actions.all;
  }

  private void addAll(ActionsConfig config, Path folder, Consumer<String> terminal)
      throws ConfigException, IOException {
    add(
        Action.named("echo")
            .describedAs("Returns its arguments and its body")
            .takesOtherArguments()
            .takesBody(),
        BuiltInActions::echo);
    DisplayAction display = new DisplayAction(config.display(), terminal, System::getenv);
    add(display.action(), display);
    if (!config.values().isEmpty()) {
      ValueStore store = new ValueStore(folder.resolve("values.properties"), config.values());
      ValueActions values = new ValueActions(config.values(), store);
      add(values.setAction(), values::set);
      add(values.getAction(), values::get);
    }
    if (!config.programs().isEmpty()) {
      RunAction run = new RunAction(config.programs());
      add(run.action(), run);
    }
    if (config.power() != null) {
      PowerAction power = new PowerAction(config.power());
      add(power.action(), power);
    }
    if (!config.print().printers().isEmpty()) {
      PrintAction print = new PrintAction(config.print());
      add(print.action(), print);
    }
    if (!config.relay().targets().isEmpty()) {
      RelayAction relay = new RelayAction(config.relay());
      add(relay.action(), relay);
    }
    if (!config.control().equals(ControlConfig.NONE)) {
      ControlAction control = new ControlAction(config.control());
      add(control.action(), control);
    }
  }

  private void add(Action action, ActionHandler handler) {
    all.put(action, FailedException.caught(handler));
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

  /** Success, with these values. */
  static Result withAll(Map<String, String> values) {
    Result result = Result.ok();
    for (Map.Entry<String, String> value : values.entrySet()) {
      result = result.with(value.getKey(), value.getValue());
    }
    return result;
  }
}
