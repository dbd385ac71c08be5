package dev.beckon.agent.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 500B}, {@code 64KiB}, {@code 16MiB}. */
public final class SizeText {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,9})(B|KiB|MiB)");

  public static final String EXPECTATION = "a number with B, KiB or MiB, such as 64KiB";

  private SizeText() {}

  /**
   * In bytes.
   *
   * @throws IllegalArgumentException if the text is no size
   */
  public static Long parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(text + " (expected " + EXPECTATION + ")");
    }
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "B" -> number;
      case "KiB" -> number << 10;
      default -> number << 20;
    };
  }

  /** The shortest exact form. */
  public static String format(long bytes) {
    if (bytes > 0 && bytes % (1 << 20) == 0) {
      return (bytes >> 20) + "MiB";
    }
    return bytes > 0 && bytes % (1 << 10) == 0 ? (bytes >> 10) + "KiB" : bytes + "B";
  }
}
