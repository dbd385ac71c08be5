package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.YamlMap;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The section {@code printers}: the queues and printers that {@code print} may use.
 *
 * @param printers by the name that a command gives
 */
public record PrintConfig(Map<String, Printer> printers) {
  static final PrintConfig NONE = new PrintConfig(Map.of());

  private static final int MAX_COPIES = 999;
  private static final int DEFAULT_COPIES = 10;
  private static final long MAX_BODY_BYTES = 1 << 30;
  private static final long DEFAULT_BODY_BYTES = 16 << 20;
  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofMinutes(10);

  /**
   * A printer, or a queue of CUPS.
   *
   * @param uri {@code ipp://…} or {@code ipps://…}
   * @param copies how many a command may ask for
   * @param user in whose name it prints
   * @param timeLimit until the last page is out; then the job is cancelled
   */
  public record Printer(URI uri, int copies, String user, long maxBodyBytes, Duration timeLimit) {}

  static PrintConfig read(YamlMap all) throws ConfigException {
    Map<String, Printer> printers = new LinkedHashMap<>();
    for (String name : all.names()) {
      YamlMap map = all.map(name);
      map.onlyWith("uri", "copies", "user", "max-body", "time-limit", "description");
      String user = map.text("user");
      printers.put(
          name,
          new Printer(
              uri(map),
              map.integer("copies", 1, MAX_COPIES, DEFAULT_COPIES),
              user == null ? "beckon" : user,
              map.size("max-body", MAX_BODY_BYTES, DEFAULT_BODY_BYTES),
              map.duration("time-limit", DEFAULT_TIME_LIMIT)));
    }
    return new PrintConfig(printers);
  }

  private static URI uri(YamlMap map) throws ConfigException {
    String expectation = "ipp://host[:port]/path or ipps://…";
    String text = map.required("uri", expectation);
    try {
      URI uri = new URI(text);
      if (uri.getHost() != null
          && ("ipp".equals(uri.getScheme()) || "ipps".equals(uri.getScheme()))) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // It does not fit either.
    }
    throw map.bad("uri", text + " (expected " + expectation + ")");
  }
}
