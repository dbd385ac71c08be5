package dev.beckon.agent.action;

import dev.beckon.agent.action.RelayConfig.Target;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The action {@code relay}: passes a body on to another device, over TCP, UDP or HTTP, and returns
 * what that one answers.
 */
final class RelayAction implements ActionHandler {
  private static final String TARGET = "target";
  private static final String TEXT = "text";
  private static final String TYPE = "type";

  private final Map<String, Target> targets;
  private final Predicate<URI> allowed;

  RelayAction(RelayConfig config) {
    this.targets = config.targets();
    this.allowed =
        HttpTargets.sameOriginAs(
            targets.values().stream().filter(Target::isHttp).map(Target::to).toList());
  }

  Action action() {
    Action action =
        Action.named("relay")
            .describedAs("Passes a body on to another device and returns its answer")
            .takesBody()
            .takes(
                Parameter.text(TARGET).oneOf(targets.keySet().toArray(new String[0])),
                Parameter.text(TEXT)
                    .optional()
                    .between(1, 10_000)
                    .describedAs("to be sent instead of a body"));
    return targets.values().stream().anyMatch(Target::isHttp)
        ? action.takes(
            Parameter.text(TYPE)
                .optional()
                .between(1, 200)
                .describedAs("content type of the body, for HTTP"))
        : action;
  }

  @Override
  public Result run(Command command) throws FailedException, InterruptedException, IOException {
    Target target = targets.get(command.text(TARGET));
    if (target == null) {
      throw new FailedException(
          Failure.TARGET_NOT_ALLOWED,
          TARGET + ": " + command.text(TARGET) + " (expected one of " + targets.keySet() + ")");
    }
    byte[] body = body(command, target);
    return switch (target.to().getScheme()) {
      case "tcp" -> new TcpRelay(target, command).send(body);
      case "udp" -> new UdpRelay(target).send(body);
      default -> sendHttp(target, body, command);
    };
  }

  private static byte[] body(Command command, Target target) throws FailedException, IOException {
    if (command.has(TEXT) == command.bodyBytes() > 0) {
      throw new FailedException(
          Failure.BODY_MISSING,
          command.has(TEXT)
              ? "body: beside text (expected either of them)"
              : "body: none (expected a body, or text)");
    }
    byte[] text =
        command.has(TEXT) ? command.text(TEXT).getBytes(StandardCharsets.UTF_8) : new byte[0];
    long bytes = Math.max(text.length, command.bodyBytes());
    if (bytes > target.maxBodyBytes()) {
      throw new FailedException(
          Failure.BODY_TOO_LARGE,
          "body: " + bytes + " bytes (expected at most " + target.maxBodyBytes() + ")");
    }
    if (command.has(TEXT)) {
      return text;
    }
    try (InputStream in = command.body()) {
      return in.readAllBytes();
    }
  }

  private Result sendHttp(Target target, byte[] body, Command command)
      throws FailedException, InterruptedException {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.put(
        "Content-Type",
        command.has(TEXT) ? "text/plain; charset=utf-8" : "application/octet-stream");
    headers.putAll(target.headers());
    if (command.has(TYPE)) {
      headers.put("Content-Type", command.text(TYPE));
    }
    return new HttpExchange(allowed, target.timeLimit(), target.maxAnswerBytes())
        .send(
            new HttpExchange.Call(
                target.method(),
                target.to(),
                headers,
                HttpRequest.BodyPublishers.ofByteArray(body)))
        .result()
        .with("sent-bytes", body.length);
  }
}
