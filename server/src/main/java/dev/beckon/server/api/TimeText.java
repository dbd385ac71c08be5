package dev.beckon.server.api;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations and times as people write them: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 1h}. */
final class TimeText {

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");

  private TimeText() {}

  /**
   * Reads a duration.
   *
   * @throws Problem if it is none, or longer than {@code longest}
   */
  static Duration duration(String name, String text, Duration longest) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID,
          name + ": " + text + " (expected a number with a unit, such as 500ms, 30s, 5m, 1h)");
    }
    long number = Long.parseLong(matcher.group(1));
    Duration duration =
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          case "m" -> Duration.ofMinutes(number);
          case "h" -> Duration.ofHours(number);
          default -> Duration.ofDays(number);
        };
    if (duration.compareTo(longest) > 0) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID,
          name + ": " + text + " (expected at most " + longest.toSeconds() + "s)");
    }
    return duration;
  }

  static boolean isDuration(String text) {
    return DURATION.matcher(text).matches();
  }

  /**
   * Reads a duration from now, or a time as in RFC 3339.
   *
   * @throws Problem if it is neither
   */
  static Instant deadline(String text, Instant now) {
    if (DURATION.matcher(text).matches()) {
      return now.plus(duration("deadline", text, Duration.ofDays(36_500)));
    }
    try {
      return DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from);
    } catch (DateTimeException malformed) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID,
          "deadline: "
              + text
              + " (expected a duration such as 30s, or a time such as 2030-01-31T12:00:00Z)");
    }
  }
}
