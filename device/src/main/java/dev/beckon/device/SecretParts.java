package dev.beckon.device;

import dev.beckon.protocol.Redaction;
import dev.beckon.protocol.session.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The secret parts of a command, to be taken out of what is said about it. */
final class SecretParts {
  /** As the server has it; what is longer is not looked for. */
  private static final long MAX_BODY_TEXT_BYTES = 48 * 1024;

  private SecretParts() {}

  static Redaction ofArguments(Command command) {
    return command.getSecretArgsCount() == 0 ? Redaction.NONE : Redaction.of(arguments(command));
  }

  /**
   * The arguments, and a short body that is text.
   *
   * @param body its file; null if there is none
   */
  static Redaction of(Command command, @Nullable Path body) {
    List<String> values = arguments(command);
    if (body != null && command.getSecretBody() && command.getBodyBytes() <= MAX_BODY_TEXT_BYTES) {
      try {
        values.add(Files.readString(body));
      } catch (IOException notText) {
        // Then no text can repeat it.
      }
    }
    return values.isEmpty() ? Redaction.NONE : Redaction.of(values);
  }

  private static List<String> arguments(Command command) {
    List<String> values = new ArrayList<>();
    for (String name : command.getSecretArgsList()) {
      values.add(command.getArgsOrDefault(name, ""));
    }
    return values;
  }
}
