package dev.beckon.agent.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
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

/** One level of a YAML file, read by name and type; what does not fit is told with its line. */
public final class YamlMap {
  private record Entry(int line, Node value) {}

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private final String file;
  private final int line;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private YamlMap(String file, int line) {
    this.file = file;
    this.line = line;
  }

  /** The top level of the text. */
  public static YamlMap parse(String file, String text) throws ConfigException {
    LoadSettings settings =
        LoadSettings.builder().setLabel(file).setAllowDuplicateKeys(false).build();
    try {
      Optional<Node> root = new Compose(settings).composeString(text);
      return root.isPresent() ? of(file, 1, root.get()) : new YamlMap(file, 1);
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
      throw new ConfigException(file + ":" + line + ": no YAML: " + e.getProblem());
    } catch (YamlEngineException e) {
      throw new ConfigException(file + ": no YAML: " + e.getMessage());
    }
  }

  private static YamlMap of(String file, int line, Node node) throws ConfigException {
    if (!(node instanceof MappingNode mapping)) {
      throw new ConfigException(file + ":" + line + ": a value (expected keys with values)");
    }
    YamlMap map = new YamlMap(file, line);
    for (NodeTuple tuple : mapping.getValue()) {
      Node key = tuple.getKeyNode();
      int keyLine = key.getStartMark().map(mark -> mark.getLine() + 1).orElse(line);
      if (!(key instanceof ScalarNode scalar)) {
        throw new ConfigException(file + ":" + keyLine + ": a key (expected a word)");
      }
      if (map.entries.put(scalar.getValue(), new Entry(keyLine, tuple.getValueNode())) != null) {
        throw new ConfigException(
            file + ":" + keyLine + ": " + scalar.getValue() + ": again (expected once)");
      }
    }
    return map;
  }

  /** Fails for a key that is not among those. */
  public YamlMap onlyWith(String... known) throws ConfigException {
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      if (!List.of(known).contains(entry.getKey())) {
        throw new ConfigException(
            file
                + ":"
                + entry.getValue().line()
                + ": "
                + entry.getKey()
                + ": unknown key (expected "
                + nearest(entry.getKey(), known)
                + ")");
      }
    }
    return this;
  }

  /** The names, in the order of the file. */
  public List<String> keys() {
    return List.copyOf(entries.keySet());
  }

  /** Whether something stands at the key. */
  public boolean has(String key) {
    return entries.containsKey(key);
  }

  /** A text; null if the key is missing. */
  public @Nullable String text(String key) throws ConfigException {
    Entry entry = entries.get(key);
    return entry == null ? null : scalar(key, entry, entry.value());
  }

  /** Reads a value by {@code parser}, which throws IllegalArgumentException if it does not fit. */
  public <T> @Nullable T value(String key, String expectation, Function<String, T> parser)
      throws ConfigException {
    String text = text(key);
    if (text == null) {
      return null;
    }
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw bad(key, text + " (expected " + expectation + ")");
    }
  }

  /** A number; null if the key is missing. */
  public @Nullable Double number(String key) throws ConfigException {
    return this.<Double>value(key, "a number", Double::valueOf);
  }

  /** True or false; {@code otherwise} if the key is missing. */
  public boolean flag(String key, boolean otherwise) throws ConfigException {
    Boolean value =
        this.<Boolean>value(
            key,
            "true or false",
            text -> {
              if (!text.equals("true") && !text.equals("false")) {
                throw new IllegalArgumentException(text);
              }
              return text.equals("true");
            });
    return value == null ? otherwise : value;
  }

  /** A text that must be there. */
  public String required(String key, String expectation) throws ConfigException {
    String text = text(key);
    if (text == null || text.isEmpty()) {
      throw bad(key, "missing (expected " + expectation + ")");
    }
    return text;
  }

  /** A whole number within a range. */
  public int integer(String key, int minimum, int maximum, int otherwise) throws ConfigException {
    String expectation = "an integer from " + minimum + " to " + maximum;
    Integer value = this.<Integer>value(key, expectation, Integer::valueOf);
    if (value != null && (value < minimum || value > maximum)) {
      throw bad(key, value + " (expected " + expectation + ")");
    }
    return value == null ? otherwise : value;
  }

  /** A duration above zero. */
  public Duration duration(String key, Duration otherwise) throws ConfigException {
    Duration value = this.<Duration>value(key, DurationText.EXPECTATION, DurationText::parse);
    if (value != null && value.isZero()) {
      throw bad(key, "none (expected " + DurationText.EXPECTATION + ")");
    }
    return value == null ? otherwise : value;
  }

  /** A number of bytes, up to a maximum. */
  public long size(String key, long maximum, long otherwise) throws ConfigException {
    Long value = this.<Long>value(key, SizeText.EXPECTATION, SizeText::parse);
    if (value != null && value > maximum) {
      throw bad(key, text(key) + " (expected at most " + SizeText.format(maximum) + ")");
    }
    return value == null ? otherwise : value;
  }

  /** Texts by name; empty if the key is missing. */
  public Map<String, String> texts(String key) throws ConfigException {
    YamlMap below = map(key);
    Map<String, String> texts = new LinkedHashMap<>();
    for (String name : below.keys()) {
      texts.put(name, below.required(name, "a text"));
    }
    return texts;
  }

  /** The keys, as names that a command can mention. */
  public List<String> names() throws ConfigException {
    for (String name : keys()) {
      if (!NAME.matcher(name).matches()) {
        throw bad(name, "a name (expected one word: 1 to 64 of A-Z a-z 0-9 . _ -)");
      }
    }
    return keys();
  }

  /** A list of texts; empty if the key is missing. */
  public List<String> list(String key) throws ConfigException {
    Entry entry = entries.get(key);
    if (entry == null) {
      return List.of();
    }
    if (!(entry.value() instanceof SequenceNode sequence)) {
      throw bad(key, "one value (expected a list: [ … ])");
    }
    List<String> texts = new ArrayList<>();
    for (Node node : sequence.getValue()) {
      texts.add(scalar(key, entry, node));
    }
    return texts;
  }

  /** A level below; empty if the key is missing. */
  public YamlMap map(String key) throws ConfigException {
    Entry entry = entries.get(key);
    return entry == null ? new YamlMap(file, line) : of(file, entry.line(), entry.value());
  }

  /** A complaint about the key, or about what stands at it. */
  public ConfigException bad(String key, String problem) {
    Entry entry = entries.get(key);
    return new ConfigException(
        file + ":" + (entry == null ? line : entry.line()) + ": " + key + ": " + problem);
  }

  private String scalar(String key, Entry entry, Node node) throws ConfigException {
    if (node instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw new ConfigException(
        file + ":" + entry.line() + ": " + key + ": a group (expected one value)");
  }

  private static String nearest(String word, String[] known) {
    String best = known[0];
    for (String candidate : known) {
      if (distance(word, candidate) < distance(word, best)) {
        best = candidate;
      }
    }
    return distance(word, best) <= Math.max(2, word.length() / 3)
        ? best + "?"
        : "one of " + String.join(", ", known);
  }

  /** How many letters must change (Levenshtein). */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
