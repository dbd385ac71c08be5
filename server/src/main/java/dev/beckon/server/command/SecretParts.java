package dev.beckon.server.command;

import dev.beckon.protocol.Redaction;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The secret parts of a new command, apart from the rest: pure functions. They are kept until the
 * command has ended.
 */
final class SecretParts {

  /** The body's name among the values; no argument has an empty name. */
  static final String BODY = "";

  /** As long as all arguments may be; what is longer is not looked for in what the device says. */
  private static final int MAX_BODY_TEXT_BYTES = SubmissionLimits.MAX_ARGUMENT_BYTES;

  private SecretParts() {}

  /** The values to keep, and to look for in what the device says. */
  static Map<String, String> values(NewCommand command) {
    Map<String, String> values = new HashMap<>();
    for (String name : command.secretArgs()) {
      values.put(name, command.args().getOrDefault(name, ""));
    }
    bodyText(command).ifPresent(text -> values.put(BODY, text));
    return values;
  }

  /** The arguments as anybody may see them. */
  static Map<String, String> shownArgs(NewCommand command) {
    Map<String, String> shown = new HashMap<>(command.args());
    command.secretArgs().forEach(name -> shown.replace(name, Redaction.MARK));
    return shown;
  }

  /** Over the secret parts alone, to recognise a repetition while they are kept. */
  static byte[] hash(NewCommand command) {
    ContentHash hash = new ContentHash();
    for (String name : new TreeMap<>(command.args()).keySet()) {
      if (command.secretArgs().contains(name)) {
        hash.add(name).add(command.args().getOrDefault(name, ""));
      }
    }
    byte[] body = command.body();
    return hash.add(body == null || !command.secretBody() ? new byte[0] : body).digest();
  }

  private static Optional<String> bodyText(NewCommand command) {
    byte[] body = command.body();
    if (!command.secretBody() || body == null || body.length > MAX_BODY_TEXT_BYTES) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
    } catch (CharacterCodingException notText) {
      return Optional.empty();
    }
  }
}
