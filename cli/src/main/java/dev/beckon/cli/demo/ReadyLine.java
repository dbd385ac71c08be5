package dev.beckon.cli.demo;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the server says when it can take traffic.
 *
 * @param udp first address:port for keepalives; empty if the server takes none
 * @param tls address:port for sessions
 * @param http address:port of the API
 */
record ReadyLine(String udp, String tls, String http) {

  static final ReadyLine NONE = new ReadyLine("", "", "");

  static ReadyLine parse(String line) {
    Map<String, String> words =
        Arrays.stream(line.trim().split("\\s+"))
            .filter(word -> word.contains("="))
            .collect(
                Collectors.toMap(
                    word -> word.substring(0, word.indexOf('=')),
                    word -> word.substring(word.indexOf('=') + 1),
                    (first, _) -> first));
    String udp = words.getOrDefault("udp", "").split(",", 2)[0];
    String http = words.getOrDefault("http", "").replaceFirst("^http://", "");
    if (http.isEmpty()) {
      throw new DemoException("the server's ready line is not understood: " + line);
    }
    return new ReadyLine(udp, words.getOrDefault("tls", ""), http);
  }

  int httpPort() {
    return Integer.parseInt(http.substring(http.lastIndexOf(':') + 1));
  }
}
