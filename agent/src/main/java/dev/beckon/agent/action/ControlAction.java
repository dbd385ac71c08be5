package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The action {@code control}: switches another device on by a magic packet (Wake-on-LAN), or calls
 * it over HTTP.
 */
final class ControlAction implements ActionHandler {
  static final String CALL = "call";
  static final String WAKE = "wake";

  private static final long MAX_BODY_BYTES = 1 << 20;

  private final ControlConfig config;
  private final ParameterSets parameters;

  ControlAction(ControlConfig config) {
    this.config = config;
    Map<String, Map<String, Parameter>> sets = new LinkedHashMap<>();
    config.calls().forEach((name, call) -> sets.put(name, call.parameters()));
    this.parameters = new ParameterSets(CALL, sets);
  }

  /**
   * What the server is told.
   *
   * @throws ConfigException if two calls mean different things by one name
   */
  Action action() throws ConfigException {
    Action action =
        Action.named("control")
            .describedAs("Switches another device on, or calls it over HTTP")
            .checkedBy(this::refusal);
    if (!config.wakes().isEmpty()) {
      action =
          action.takes(
              Parameter.text(WAKE)
                  .optional()
                  .oneOf(config.wakes().keySet().toArray(new String[0]))
                  .describedAs("the device to switch on"));
    }
    if (!config.calls().isEmpty()) {
      action =
          action
              .takes(parameters.choice().optional().describedAs("the call to make"))
              .takes(parameters.union("control.calls"));
    }
    return config.calls().values().stream().anyMatch(ControlConfig.Call::takesBody)
        ? action.takesBody()
        : action;
  }

  private @Nullable String refusal(Map<String, String> arguments) {
    boolean wake = arguments.containsKey(WAKE);
    if (wake == arguments.containsKey(CALL)) {
      return (wake ? "wake: beside call" : "arguments: neither wake nor call")
          + " (expected one of them)";
    }
    if (wake) {
      return arguments.size() == 1 ? null : "wake: with parameters (expected none)";
    }
    String refusal = parameters.refusal(arguments, Set.of());
    ControlConfig.Call call = config.calls().get(arguments.get(CALL));
    return refusal != null || call == null ? refusal : call.url().refusal(arguments);
  }

  @Override
  public Result run(Command command) throws FailedException, InterruptedException, IOException {
    WakeOnLan wake = command.has(WAKE) ? config.wakes().get(command.text(WAKE)) : null;
    if (wake != null) {
      return wake.send();
    }
    ControlConfig.Call call = config.calls().get(command.text(CALL));
    if (call == null) {
      throw new FailedException(
          Failure.TARGET_NOT_ALLOWED,
          CALL + ": " + command.text(CALL) + " (expected one of " + config.calls().keySet() + ")");
    }
    URI uri = call.url().expanded(command.arguments());
    return new HttpExchange(
            HttpTargets.sameOriginAs(
                config.calls().values().stream().map(c -> c.url().expanded(Map.of())).toList()),
            call.timeLimit(),
            call.maxAnswerBytes())
        .send(new HttpExchange.Call(call.method(), uri, call.headers(), body(call, command)))
        .result();
  }

  private static BodyPublisher body(ControlConfig.Call call, Command command)
      throws FailedException, IOException {
    if (call.body() != null) {
      return HttpRequest.BodyPublishers.ofString(call.body());
    }
    if (command.bodyBytes() == 0) {
      return HttpRequest.BodyPublishers.noBody();
    }
    if (!call.takesBody() || command.bodyBytes() > MAX_BODY_BYTES) {
      throw new FailedException(
          Failure.BODY_TOO_LARGE,
          "body: "
              + command.bodyBytes()
              + " bytes (expected at most "
              + (call.takesBody() ? MAX_BODY_BYTES : 0)
              + ")");
    }
    try (InputStream in = command.body()) {
      return HttpRequest.BodyPublishers.ofByteArray(in.readAllBytes());
    }
  }
}
