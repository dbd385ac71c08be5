package dev.beckon.agent.action;

import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The values of {@code set}, kept in a file across restarts. Thread-safe. */
final class ValueStore {
  private final Path file;
  private final Map<String, Value> known;
  private final Map<String, String> values = new TreeMap<>();

  /**
   * Reads the file, if there is one; what does not fit the configuration (any more) is left out.
   */
  ValueStore(Path file, Map<String, Value> known) throws IOException {
    this.file = file;
    this.known = known;
    known.forEach(
        (name, value) -> {
          if (value.initial() != null) {
            values.put(name, value.initial());
          }
        });
    if (Files.exists(file)) {
      Properties properties = new Properties();
      properties.load(new StringReader(Files.readString(file)));
      for (String name : properties.stringPropertyNames()) {
        Value value = known.get(name);
        String text = properties.getProperty(name);
        if (value != null && value.parameter().refusal(text) == null) {
          values.put(name, text);
        }
      }
    }
  }

  synchronized Map<String, String> all() {
    return Map.copyOf(values);
  }

  synchronized @Nullable String get(String name) {
    return values.get(name);
  }

  /** Sets all or, if they cannot be made durable, none. */
  synchronized void set(Map<String, String> changes) throws IOException {
    Map<String, String> next = new TreeMap<>(values);
    next.putAll(changes);
    next.keySet().retainAll(known.keySet());
    StringBuilder text = new StringBuilder();
    next.forEach(
        (name, value) -> text.append(name).append('=').append(escaped(value)).append('\n'));
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    values.putAll(changes);
  }

  /** As {@link Properties#load} reads it. */
  private static String escaped(String value) {
    StringBuilder text = new StringBuilder();
    for (char c : value.toCharArray()) {
      if (c > ' ' && c < 0x7F && c != '\\') {
        text.append(c);
      } else {
        text.append(String.format("\\u%04x", (int) c));
      }
    }
    return text.toString();
  }
}
