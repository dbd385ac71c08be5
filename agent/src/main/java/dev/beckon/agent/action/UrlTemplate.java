package dev.beckon.agent.action;

import dev.beckon.protocol.PercentEncoding;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A URL with typed places, such as {@code http://lamp/api/{light}?level={level}}. What is put there
 * is encoded: it never becomes another path, query or host.
 */
final class UrlTemplate {
  private static final Pattern PLACE = Pattern.compile("\\{([A-Za-z0-9._-]+)}");

  private final String text;
  private final Set<String> places = new LinkedHashSet<>();

  /**
   * @throws IllegalArgumentException if it cannot become an HTTP URL; the message tells why
   */
  UrlTemplate(String text) {
    this.text = text;
    Matcher place = PLACE.matcher(text);
    while (place.find()) {
      places.add(place.group(1));
    }
    URI uri = parsed(PLACE.matcher(text).replaceAll("x"));
    String authority = uri.getRawAuthority();
    if (!HttpTargets.isHttp(uri) || uri.getHost() == null) {
      throw new IllegalArgumentException("an http:// or https:// URL with a host");
    }
    if (!text.startsWith(uri.getScheme() + "://" + authority)) {
      throw new IllegalArgumentException("a fixed host and port");
    }
  }

  private static URI parsed(String text) {
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("a URL", e);
    }
  }

  /** Names of the places. */
  Set<String> places() {
    return places;
  }

  /**
   * Why these values do not fit, as {@code name: value (expected …)}; null if they do: {@code ..}
   * as a part of a path would lead out of it. An encoded slash counts, and a backslash: many a
   * device decodes the path before it takes it apart.
   */
  @Nullable String refusal(Map<String, String> values) {
    String path = expanded(values).getPath();
    for (String part : path == null ? new String[0] : path.split("[/\\\\]", -1)) {
      if (part.equals(".") || part.equals("..")) {
        // Not all of the path: what stands in it may be secret.
        return "url: " + part + " (expected no part of the path to become . or ..)";
      }
    }
    return null;
  }

  /** The URL with these values; a place without one becomes empty. */
  URI expanded(Map<String, String> values) {
    return parsed(
        PLACE
            .matcher(text)
            .replaceAll(place -> PercentEncoding.of(values.getOrDefault(place.group(1), ""))));
  }
}
