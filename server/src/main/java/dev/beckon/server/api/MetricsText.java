package dev.beckon.server.api;

import java.util.HashSet;
import java.util.Set;

/**
 * Figures in Prometheus' text format, version 0.0.4. Figures of one name stand together: their
 * source names them one after the other.
 */
public final class MetricsText {

  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final StringBuilder text = new StringBuilder();
  private final Set<String> introduced = new HashSet<>();

  /**
   * Adds something that only grows.
   *
   * @param name ends in {@code _total}
   * @param help one sentence
   * @param labels names and values by turns
   */
  public MetricsText counter(String name, String help, long value, String... labels) {
    return add("counter", name, help, value, labels);
  }

  /** Adds something that goes up and down. */
  public MetricsText gauge(String name, String help, long value, String... labels) {
    return add("gauge", name, help, value, labels);
  }

  private MetricsText add(String type, String name, String help, long value, String... labels) {
    if (introduced.add(name)) {
      text.append("# HELP ").append(name).append(' ').append(help).append('\n');
      text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }
    text.append(name);
    for (int i = 0; i + 1 < labels.length; i += 2) {
      text.append(i == 0 ? '{' : ',').append(labels[i]).append("=\"");
      escape(labels[i + 1]);
      text.append('"');
    }
    if (labels.length > 1) {
      text.append('}');
    }
    text.append(' ').append(value).append('\n');
    return this;
  }

  private void escape(String value) {
    text.append(value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"));
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
