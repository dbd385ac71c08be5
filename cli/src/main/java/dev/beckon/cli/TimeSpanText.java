package dev.beckon.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Spans of time as people write them: {@code 500ms}, {@code 30s}, {@code 5m}, {@code 1h}. */
final class TimeSpanText {

  private static final Pattern SPAN = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");

  private TimeSpanText() {}

  /** The span, or nothing if the text is none. */
  static Optional<Duration> parse(String text) {
    Matcher matcher = SPAN.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long number = Long.parseLong(matcher.group(1));
    return Optional.of(
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          case "m" -> Duration.ofMinutes(number);
          default -> Duration.ofHours(number);
        });
  }

  /** The span between two others, both included. */
  static Duration between(String option, String text, Duration least, Duration most) {
    return parse(text)
        .filter(span -> span.compareTo(least) >= 0 && span.compareTo(most) <= 0)
        .orElseThrow(
            () ->
                FailureException.usage(
                    "%s: %s (expected %s to %s, such as 60s or 2m)"
                        .formatted(option, text, words(least), words(most)),
                    null));
  }

  private static String words(Duration span) {
    return span.toSeconds() % 60 == 0 ? span.toMinutes() + "m" : span.toSeconds() + "s";
  }
}
