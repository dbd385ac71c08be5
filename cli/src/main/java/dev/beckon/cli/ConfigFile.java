package dev.beckon.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * A YAML file of settings: keys with a text or a list of texts. Every error names the file, the
 * line and what was expected there.
 */
final class ConfigFile {

  /** Texts under a key, with the line of the key. */
  private record Entry(int line, List<String> values, boolean isList) {}

  private final Path file;
  private final Map<String, Entry> entries = new HashMap<>();

  private ConfigFile(Path file) {
    this.file = file;
  }

  /** Reads a file in which only {@code known} keys may stand. */
  static ConfigFile read(Path file, List<String> known) {
    ConfigFile config = new ConfigFile(file);
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw FailureException.usage("config: " + file + " (" + Failures.of(e) + ")", null);
    }
    config.parse(text, known);
    return config;
  }

  private void parse(String text, List<String> known) {
    Optional<Node> root;
    try {
      root =
          new Compose(LoadSettings.builder().setLabel(file.toString()).build()).composeString(text);
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
      throw bad(line, "not YAML: " + e.getProblem());
    } catch (YamlEngineException e) {
      throw bad(1, "not YAML: " + e.getMessage());
    }
    if (root.isEmpty()) {
      return;
    }
    if (!(root.get() instanceof MappingNode mapping)) {
      throw bad(line(root.get()), "expected lines of the form KEY: VALUE");
    }
    for (NodeTuple tuple : mapping.getValue()) {
      int line = line(tuple.getKeyNode());
      String key = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
      if (!known.contains(key)) {
        String near =
            Nearest.to(key, known)
                .map(word -> "did you mean " + word + "?")
                .orElse("expected one of " + String.join(", ", known));
        throw bad(line, "unknown key " + key + " (" + near + ")");
      }
      if (entries.put(key, entry(key, line, tuple.getValueNode())) != null) {
        throw bad(line, key + " (expected only once)");
      }
    }
  }

  private Entry entry(String key, int line, Node value) {
    if (value instanceof ScalarNode scalar) {
      return new Entry(line, List.of(scalar.getValue()), false);
    }
    if (value instanceof SequenceNode sequence) {
      List<String> values =
          sequence.getValue().stream()
              .map(item -> item instanceof ScalarNode scalar ? scalar.getValue() : null)
              .map(item -> require(item, key, line))
              .toList();
      return new Entry(line, values, true);
    }
    throw bad(line, key + " (expected a value or a list of values)");
  }

  private String require(@Nullable String item, String key, int line) {
    if (item == null) {
      throw bad(line, key + " (expected a list of values)");
    }
    return item;
  }

  /** The text under a key, if it is there. */
  Optional<String> text(String key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      return Optional.empty();
    }
    if (entry.isList) {
      throw bad(entry.line, key + " (expected one value, not a list)");
    }
    return Optional.of(entry.values.get(0));
  }

  /** The texts under a key: of a list, or the only one; empty if the key is not there. */
  List<String> texts(String key) {
    Entry entry = entries.get(key);
    return entry == null ? List.of() : entry.values;
  }

  Optional<Boolean> flag(String key) {
    return text(key)
        .map(
            value ->
                switch (value) {
                  case "true" -> true;
                  case "false" -> false;
                  default -> throw bad(key, value, "true or false");
                });
  }

  /** An error about the value of a key. */
  FailureException bad(String key, String value, String expected) {
    Entry entry = entries.get(key);
    int line = entry == null ? 1 : entry.line;
    return bad(line, key + ": " + value + " (expected " + expected + ")");
  }

  private FailureException bad(int line, String message) {
    return FailureException.usage(file + ":" + line + ": " + message, null);
  }

  private static int line(Node node) {
    return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
  }
}
