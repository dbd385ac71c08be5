package dev.beckon.server.command;

import dev.beckon.server.command.Submission.Refused;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** What no command may exceed, whatever its device declared: pure functions. */
final class SubmissionLimits {

  /** Names and values together, UTF-8: a command and all else about it fits one session frame. */
  static final int MAX_ARGUMENT_BYTES = 48 * 1024;

  static final int MAX_ARGUMENTS = 100;

  static final Duration MAX_DEADLINE = Duration.ofDays(365);

  private static final Pattern ACTION = Pattern.compile("[A-Za-z0-9._:-]{1,64}");
  private static final Pattern ARGUMENT = Pattern.compile("[A-Za-z0-9._:-]{1,64}");
  private static final Pattern IDEMPOTENCY_KEY = Pattern.compile("[\\x21-\\x7e]{1,255}");

  private SubmissionLimits() {}

  /** Why the command exceeds a limit; empty if it does not. */
  static Optional<Refused> refusal(NewCommand command) {
    String key = command.idempotencyKey();
    if (key != null && !IDEMPOTENCY_KEY.matcher(key).matches()) {
      return refused(
          "idempotency-key-invalid",
          "idempotency key: "
              + DeclaredActions.shown(key)
              + " (expected 1 to 255 printable ASCII characters without spaces)");
    }
    if (!ACTION.matcher(command.action()).matches()) {
      return refused(
          "action-unknown",
          "action: "
              + DeclaredActions.shown(command.action())
              + " (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
    }
    byte[] body = command.body();
    if (body != null && body.length > Commands.MAX_BODY_BYTES) {
      return refused(
          "body-too-large",
          "body: " + body.length + " bytes (expected at most " + Commands.MAX_BODY_BYTES + ")");
    }
    return argumentRefusal(command.args());
  }

  private static Optional<Refused> argumentRefusal(Map<String, String> args) {
    int bytes = 0;
    for (Map.Entry<String, String> arg : args.entrySet()) {
      if (!ARGUMENT.matcher(arg.getKey()).matches()) {
        return refused(
            "argument-unknown",
            "argument "
                + DeclaredActions.shown(arg.getKey())
                + ": not a name (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
      }
      bytes += arg.getKey().length() + arg.getValue().getBytes(StandardCharsets.UTF_8).length;
    }
    if (args.size() > MAX_ARGUMENTS || bytes > MAX_ARGUMENT_BYTES) {
      return refused(
          "arguments-too-large",
          "arguments: "
              + args.size()
              + " with "
              + bytes
              + " bytes (expected at most "
              + MAX_ARGUMENTS
              + " with "
              + MAX_ARGUMENT_BYTES
              + " bytes; a body can be larger)");
    }
    return Optional.empty();
  }

  /** Why a deadline is none; empty if it is one. */
  static Optional<Refused> deadlineRefusal(Instant deadline, Instant now) {
    if (!deadline.isAfter(now)) {
      return refused("deadline-passed", "deadline: " + deadline + " (expected after " + now + ")");
    }
    if (deadline.isAfter(now.plus(MAX_DEADLINE))) {
      return refused(
          "deadline-too-far",
          "deadline: "
              + deadline
              + " (expected within "
              + MAX_DEADLINE.toDays()
              + " days from "
              + now
              + ")");
    }
    return Optional.empty();
  }

  private static Optional<Refused> refused(String code, String detail) {
    return Optional.of(new Refused(code, detail));
  }
}
