package dev.beckon.protocol;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Takes a command's secret values out of what is said about the command.
 *
 * <ul>
 *   <li>A value of 4 characters or more is found anywhere in a text, as it is and in the forms that
 *       programs give it by themselves: escaped as in JSON, percent-encoded, hexadecimal, Base64.
 *   <li>A shorter one is found only where it stands alone, with no letter or digit beside it; else
 *       the secret {@code 1} would take the digits out of every number.
 *   <li>Of a value of several lines every line of 8 characters or more counts as well.
 *   <li>At the end of a text that was cut off with an ellipsis the first part of a value is enough.
 * </ul>
 *
 * <p>White space around a value does not count. This keeps an honest program's echo from showing a
 * secret; a program that wants to give one away can always write it in another form.
 *
 * <p>Immutable and thread-safe.
 */
public final class Redaction {
  /** What stands in the place of a secret. */
  public static final String MARK = "(secret)";

  /** Changes nothing. */
  public static final Redaction NONE = new Redaction(List.of(), List.of(), false);

  /**
   * Hides every text as a whole: for what is said once the secrets are no longer known, and so
   * cannot be looked for.
   */
  public static final Redaction ALL = new Redaction(List.of(), List.of(), true);

  /** Shorter values occur in texts by chance. */
  private static final int MIN_ANYWHERE = 4;

  /** Shorter lines of a longer value are no secrets by themselves, like a brace. */
  private static final int MIN_LINE = 8;

  /** So much of a value at the end of a text that was cut off is taken for the value. */
  private static final int MIN_BEGINNING = 6;

  private static final String ELLIPSIS = "…";

  /** Programs write its two digits in capitals or not (RFC 3986, section 2.1). */
  private static final Pattern PERCENT_ESCAPE = Pattern.compile("%[0-9A-F]{2}");

  private final List<String> anywhere;
  private final List<String> alone;
  private final boolean all;

  private Redaction(Collection<String> anywhere, Collection<String> alone, boolean all) {
    this.anywhere = List.copyOf(anywhere);
    this.alone = List.copyOf(alone);
    this.all = all;
  }

  /** Takes out these values. */
  public static Redaction of(Collection<String> secrets) {
    Set<String> anywhere = new LinkedHashSet<>();
    Set<String> alone = new LinkedHashSet<>();
    for (String secret : secrets) {
      String value = secret.strip();
      if (value.length() >= MIN_ANYWHERE) {
        addForms(anywhere, value);
        value.lines().map(String::strip).filter(l -> l.length() >= MIN_LINE).forEach(anywhere::add);
      } else if (!value.isEmpty()) {
        alone.add(value);
      }
    }
    return anywhere.isEmpty() && alone.isEmpty() ? NONE : new Redaction(anywhere, alone, false);
  }

  private static void addForms(Set<String> forms, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    forms.add(value);
    forms.add(jsonEscaped(value));
    String form = URLEncoder.encode(value, StandardCharsets.UTF_8);
    for (String percent : List.of(form, form.replace("+", "%20"), PercentEncoding.of(value))) {
      forms.add(percent);
      forms.add(
          PERCENT_ESCAPE.matcher(percent).replaceAll(e -> e.group().toLowerCase(Locale.ROOT)));
    }
    String hex = hex(bytes);
    forms.add(hex);
    forms.add(hex.toUpperCase(Locale.ROOT));
    forms.add(Base64.getEncoder().withoutPadding().encodeToString(bytes));
    forms.add(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }

  /** Whether there is nothing to take out. */
  public boolean isEmpty() {
    return !all && anywhere.isEmpty() && alone.isEmpty();
  }

  /** The text without the secrets. */
  public String text(String text) {
    if (text.isEmpty() || isEmpty()) {
      return text;
    }
    if (all) {
      return MARK;
    }
    // All are found in the text as it came, for a mark must not be searched for the next secret.
    BitSet hidden = new BitSet(text.length());
    for (String secret : anywhere) {
      findAnywhere(text, secret, hidden);
      findCutOff(text, secret, hidden);
    }
    for (String secret : alone) {
      findAlone(text, secret, hidden);
    }
    return hidden.isEmpty() ? text : withMarks(text, hidden);
  }

  /** The names and values without the secrets, in them or among them. */
  public Map<String, String> texts(Map<String, String> texts) {
    if (isEmpty()) {
      return texts;
    }
    Map<String, String> redacted = new TreeMap<>();
    // A name is a word of the action's; only a program that echoes could make one of a secret.
    texts.forEach((name, value) -> redacted.put(all ? name : text(name), text(value)));
    return redacted;
  }

  /** Whether one of the longer values occurs in these bytes. */
  public boolean occursIn(byte[] bytes) {
    if (all) {
      return bytes.length > 0;
    }
    // One character for each byte, so that texts of any encoding and pictures can be searched.
    String haystack = new String(bytes, StandardCharsets.ISO_8859_1);
    return anywhere.stream()
        .map(
            secret ->
                new String(secret.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1))
        .anyMatch(haystack::contains);
  }

  private static void findAnywhere(String text, String secret, BitSet hidden) {
    int at = text.indexOf(secret);
    while (at >= 0) {
      hidden.set(at, at + secret.length());
      at = text.indexOf(secret, at + secret.length());
    }
  }

  private static void findCutOff(String text, String secret, BitSet hidden) {
    int end = text.length() - ELLIPSIS.length();
    if (secret.length() <= MIN_BEGINNING || !text.endsWith(ELLIPSIS)) {
      return;
    }
    String beginning = secret.substring(0, MIN_BEGINNING);
    int at = text.indexOf(beginning, Math.max(0, end - secret.length()));
    while (at >= 0) {
      if (text.regionMatches(at, secret, 0, end - at)) {
        hidden.set(at, end);
        return;
      }
      at = text.indexOf(beginning, at + 1);
    }
  }

  private static void findAlone(String text, String secret, BitSet hidden) {
    int at = text.indexOf(secret);
    while (at >= 0) {
      int end = at + secret.length();
      boolean begins = at == 0 || !Character.isLetterOrDigit(text.codePointBefore(at));
      boolean ends = end == text.length() || !Character.isLetterOrDigit(text.codePointAt(end));
      if (begins && ends) {
        hidden.set(at, end);
      }
      at = text.indexOf(secret, at + 1);
    }
  }

  private static String withMarks(String text, BitSet hidden) {
    StringBuilder shown = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      int from = hidden.nextSetBit(at);
      if (from < 0) {
        return shown.append(text, at, text.length()).toString();
      }
      shown.append(text, at, from).append(MARK);
      at = hidden.nextClearBit(from);
    }
    return shown.toString();
  }

  private static String jsonEscaped(String value) {
    StringBuilder escaped = new StringBuilder();
    value
        .chars()
        .forEach(
            c -> {
              switch (c) {
                case '"', '\\' -> escaped.append('\\').append((char) c);
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                default -> escaped.append((char) c);
              }
            });
    return escaped.toString();
  }

  private static String hex(byte[] bytes) {
    StringBuilder hex = new StringBuilder(2 * bytes.length);
    for (byte b : bytes) {
      hex.append(Character.forDigit(b >> 4 & 0xF, 16)).append(Character.forDigit(b & 0xF, 16));
    }
    return hex.toString();
  }
}
