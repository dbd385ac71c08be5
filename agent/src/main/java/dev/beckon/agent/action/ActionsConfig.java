package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.YamlMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code agent.yaml} says about the built-in actions. What it does not mention is not allowed.
 *
 * @param values by name, what {@code set} and {@code get} are about
 * @param programs by name, what {@code run} may run
 * @param power null if there is none to switch
 * @param display where {@code display} may show a text
 * @param print which printers {@code print} may use
 * @param relay to whom {@code relay} may pass a body on
 * @param control which devices {@code control} may control
 */
public record ActionsConfig(
    Map<String, Value> values,
    Map<String, Program> programs,
    @Nullable PowerConfig power,
    DisplayConfig display,
    PrintConfig print,
    RelayConfig relay,
    ControlConfig control) {

  /** The sections of {@code agent.yaml}. */
  public static final List<String> SECTIONS =
      List.of("values", "programs", "power", "display", "printers", "relay", "control");

  /** Without a configuration. */
  public static final ActionsConfig DEFAULT =
      new ActionsConfig(
          Map.of(),
          Map.of(),
          null,
          DisplayConfig.DEFAULT,
          PrintConfig.NONE,
          RelayConfig.NONE,
          ControlConfig.NONE);

  /** Reads the sections. */
  public static ActionsConfig read(YamlMap top) throws ConfigException {
    return new ActionsConfig(
        Value.readAll(top.map("values")),
        Program.readAll(top.map("programs")),
        top.has("power") ? PowerConfig.read(top.map("power")) : null,
        top.has("display") ? DisplayConfig.read(top.map("display")) : DisplayConfig.DEFAULT,
        PrintConfig.read(top.map("printers")),
        RelayConfig.read(top.map("relay")),
        ControlConfig.read(top.map("control")));
  }
}
