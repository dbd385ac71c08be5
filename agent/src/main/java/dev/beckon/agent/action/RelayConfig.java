package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.DurationText;
import dev.beckon.agent.config.YamlMap;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code relay}: the devices that a body may be passed on to, by name.
 *
 * @param targets by the name that a command gives
 */
public record RelayConfig(Map<String, Target> targets) {
  static final RelayConfig NONE = new RelayConfig(Map.of());

  static final long MAX_BODY_BYTES = 16 << 20;
  static final long MAX_ANSWER_BYTES = 8 << 20;

  /** What fits into one UDP datagram over IPv4. */
  static final long MAX_DATAGRAM_BYTES = 65_507;

  private static final long DEFAULT_BODY_BYTES = 1 << 20;
  private static final long DEFAULT_DATAGRAM_BYTES = 1_200;
  private static final long DEFAULT_ANSWER_BYTES = 64 << 10;
  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(10);

  /**
   * A device that takes bodies.
   *
   * @param to {@code tcp://host:port}, {@code udp://host:port} or an HTTP(S) URL
   * @param answer whether there is one to wait for
   * @param quiet TCP: silence that ends an answer; null if the other end closes
   * @param method HTTP only
   * @param headers HTTP only
   */
  public record Target(
      URI to,
      long maxBodyBytes,
      long maxAnswerBytes,
      Duration timeLimit,
      boolean answer,
      @Nullable Duration quiet,
      String method,
      Map<String, String> headers) {

    boolean isHttp() {
      return HttpTargets.isHttp(to);
    }
  }

  static RelayConfig read(YamlMap relay) throws ConfigException {
    Map<String, Target> targets = new LinkedHashMap<>();
    for (String name : relay.names()) {
      targets.put(name, target(relay.map(name)));
    }
    return new RelayConfig(targets);
  }

  private static Target target(YamlMap map) throws ConfigException {
    map.onlyWith(
        "to",
        "max-body",
        "max-answer",
        "time-limit",
        "answer",
        "quiet",
        "method",
        "headers",
        "description");
    URI to = uri(map);
    boolean udp = "udp".equals(to.getScheme());
    boolean http = HttpTargets.isHttp(to);
    for (String key : http ? List.of("answer", "quiet") : List.of("method", "headers")) {
      if (map.has(key)) {
        throw map.bad(key, "for " + to.getScheme() + " (expected only for the other protocols)");
      }
    }
    if (udp && map.has("quiet")) {
      throw map.bad("quiet", "for udp (expected only for tcp)");
    }
    String method = map.text("method");
    return new Target(
        to,
        udp
            ? map.size("max-body", MAX_DATAGRAM_BYTES, DEFAULT_DATAGRAM_BYTES)
            : map.size("max-body", MAX_BODY_BYTES, DEFAULT_BODY_BYTES),
        map.size("max-answer", MAX_ANSWER_BYTES, DEFAULT_ANSWER_BYTES),
        map.duration("time-limit", DEFAULT_TIME_LIMIT),
        map.flag("answer", true),
        map.<Duration>value("quiet", DurationText.EXPECTATION, DurationText::parse),
        method == null ? "POST" : HttpTargets.method(map, method),
        HttpTargets.headers(map));
  }

  private static URI uri(YamlMap map) throws ConfigException {
    String expectation = "tcp://host:port, udp://host:port or an http URL";
    String text = map.required("to", expectation);
    try {
      URI uri = new URI(text);
      String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
      boolean fits =
          uri.getHost() != null
              && (HttpTargets.isHttp(uri)
                  || List.of("tcp", "udp").contains(scheme)
                      && uri.getPort() > 0
                      && uri.getPort() <= 65535
                      && uri.getPath().isEmpty());
      if (fits) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // It does not fit either.
    }
    throw map.bad("to", text + " (expected " + expectation + ")");
  }
}
