package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.YamlMap;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** What {@code agent.yaml} says about HTTP, checked when it is read. */
final class HttpTargets {
  private static final List<String> METHODS = List.of("GET", "POST", "PUT", "PATCH", "DELETE");

  private HttpTargets() {}

  static boolean isHttp(URI uri) {
    return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
  }

  static String method(YamlMap map, String text) throws ConfigException {
    if (!METHODS.contains(text)) {
      throw map.bad("method", text + " (expected one of " + String.join(", ", METHODS) + ")");
    }
    return text;
  }

  static Map<String, String> headers(YamlMap map) throws ConfigException {
    Map<String, String> headers = map.texts("headers");
    for (Map.Entry<String, String> header : headers.entrySet()) {
      try {
        HttpRequest.newBuilder().header(header.getKey(), header.getValue());
      } catch (IllegalArgumentException e) {
        throw map.map("headers")
            .bad(header.getKey(), "no header that can be set (" + e.getMessage() + ")");
      }
    }
    return headers;
  }

  /** Whether a URI leads to the scheme, host and port of one of these. */
  static Predicate<URI> sameOriginAs(Collection<URI> listed) {
    List<String> origins = listed.stream().map(HttpTargets::origin).toList();
    return uri -> isHttp(uri) && uri.getHost() != null && origins.contains(origin(uri));
  }

  private static String origin(URI uri) {
    boolean tls = "https".equalsIgnoreCase(uri.getScheme());
    int port = uri.getPort() >= 0 ? uri.getPort() : tls ? 443 : 80;
    return ((tls ? "https" : "http") + "://" + uri.getHost() + ":" + port).toLowerCase(Locale.ROOT);
  }
}
