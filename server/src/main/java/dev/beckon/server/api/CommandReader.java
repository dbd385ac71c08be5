package dev.beckon.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import io.javalin.http.Context;
import io.javalin.http.UploadedFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads what somebody wants sent, as JSON or, with a body, as multipart. */
final class CommandReader {

  private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(60);

  private final InstantSource clock;

  /**
   * What was read.
   *
   * @param json all of it, for what the caller reads itself
   * @param deadlineIsDuration whether the deadline counts from now; else it is a time
   */
  record Read(NewCommand command, ObjectNode json, boolean deadlineIsDuration) {}

  CommandReader(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Reads a request.
   *
   * @param extra keys of the JSON that the caller reads itself
   */
  Read read(Context ctx, DeviceId deviceId, String... extra) {
    ObjectNode json;
    byte[] body = null;
    if (ctx.isMultipartFormData()) {
      Parts parts = parts(ctx);
      json = Requests.json("command", parts.command());
      body = parts.body();
    } else if (Requests.isJson(ctx.contentType())) {
      json = Requests.json(ctx);
    } else {
      throw Requests.contentType(ctx, "application/json or multipart/form-data");
    }
    Requests.allowKeys(
        json,
        Stream.concat(
                Stream.of("action", "args", "deadline", "secret", "secretBody"), Stream.of(extra))
            .toArray(String[]::new));
    String action =
        Requests.text(json, "action")
            .orElseThrow(
                () ->
                    new Problem(
                        ErrorCode.REQUEST_MALFORMED,
                        "action: missing (expected the name of an action)"));
    Instant now = clock.instant();
    Optional<String> deadlineText = Requests.text(json, "deadline");
    Instant deadline =
        deadlineText.map(text -> TimeText.deadline(text, now)).orElse(now.plus(DEFAULT_DEADLINE));
    Map<String, String> args = args(json);
    boolean secretBody = Requests.flag(json, "secretBody");
    if (secretBody && body == null) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          "secretBody: true (expected a body with it: multipart/form-data with the part body)");
    }
    return new Read(
        new NewCommand(
            deviceId,
            action,
            args,
            body,
            deadline,
            ctx.header("Idempotency-Key"),
            secret(json, args),
            secretBody),
        json,
        deadlineText.map(TimeText::isDuration).orElse(true));
  }

  /** The names of the secret arguments. */
  private static Set<String> secret(ObjectNode json, Map<String, String> args) {
    JsonNode node = json.get("secret");
    Set<String> names = new HashSet<>();
    if (node == null) {
      return names;
    }
    if (!node.isArray()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          "secret: not a list (expected the names of secret arguments, such as [\"pin\"])");
    }
    for (JsonNode each : node) {
      if (!each.isTextual() || !args.containsKey(each.textValue())) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            "secret: "
                + (each.isTextual() ? each.textValue() : Requests.shown(each))
                + (args.isEmpty()
                    ? " (expected none: the command has no arguments)"
                    : " (expected one of the arguments "
                        + String.join(", ", new TreeSet<>(args.keySet()))
                        + ")"));
      }
      names.add(each.textValue());
    }
    return names;
  }

  private static Map<String, String> args(ObjectNode json) {
    JsonNode node = json.get("args");
    Map<String, String> args = new HashMap<>();
    if (node == null) {
      return args;
    }
    if (!node.isObject()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          "args: " + Requests.shown(node) + " (expected an object of strings)");
    }
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isTextual()) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            "args."
                + entry.getKey()
                + ": a JSON "
                // Not the value: it may be meant to be a secret one.
                + entry.getValue().getNodeType().name().toLowerCase(Locale.ROOT)
                + " (expected a string; numbers and truth values too are written as strings)");
      }
      args.put(entry.getKey(), entry.getValue().textValue());
    }
    return args;
  }

  private record Parts(String command, byte @Nullable [] body) {}

  /** Part {@code command} is the JSON, part {@code body} goes to the action as it is. */
  private static Parts parts(Context ctx) {
    List<String> names;
    String command;
    UploadedFile body;
    try {
      command = ctx.formParam("command");
      UploadedFile commandFile = ctx.uploadedFile("command");
      if (command == null && commandFile != null) {
        command = new String(bytes(commandFile), StandardCharsets.UTF_8);
      }
      body = ctx.uploadedFile("body");
      names =
          Stream.concat(
                  ctx.formParamMap().keySet().stream(), ctx.uploadedFileMap().keySet().stream())
              .distinct()
              .toList();
      for (String name : names) {
        if (!name.equals("command") && !name.equals("body")) {
          throw new Problem(
              ErrorCode.REQUEST_MALFORMED,
              "part: " + name + " (expected the parts command and body)");
        }
      }
      if (command == null) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED, "part command: missing (expected the command as JSON)");
      }
      byte[] content = null;
      if (body != null) {
        content = bytes(body);
      } else if (ctx.formParam("body") != null) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            "part body: without a filename (expected a file, such as body=@FILE with curl -F)");
      }
      if (content != null && content.length > Commands.MAX_BODY_BYTES) {
        throw bodyTooLarge();
      }
      return new Parts(command, content);
    } catch (Problem problem) {
      throw problem;
    } catch (Exception refused) { // Jetty's parser has a type for each mistake, checked ones too
      throw ApiServer.tooLarge(refused)
          ? bodyTooLarge()
          : new Problem(
              ErrorCode.REQUEST_MALFORMED,
              "multipart: cannot be read (expected the parts command and body)");
    }
  }

  private static Problem bodyTooLarge() {
    return new Problem(
        ErrorCode.BODY_TOO_LARGE,
        "body: too large (expected at most " + Commands.MAX_BODY_BYTES + " bytes)");
  }

  private static byte[] bytes(UploadedFile file) throws IOException {
    try (InputStream content = file.content()) {
      return content.readAllBytes();
    }
  }
}
