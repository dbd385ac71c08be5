package dev.beckon.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One entry of a router's connection table.
 *
 * @param protocol {@code udp} or {@code tcp}
 * @param inner address:port of the device
 * @param mapped address:port that the other side sees; equal to inner without translation
 * @param outer address:port of the other side
 * @param secondsLeft life left if nothing passes
 * @param answered whether an answer has passed
 */
public record Mapping(
    String protocol, String inner, String mapped, String outer, int secondsLeft, boolean answered) {

  /** Reads a line of {@code /proc/net/nf_conntrack}; empty if it is about neither UDP nor TCP. */
  static Optional<Mapping> parse(String line) {
    String[] words = line.trim().split("\\s+");
    if (words.length < 5 || !(words[2].equals("udp") || words[2].equals("tcp"))) {
      return Optional.empty();
    }
    Fields fields = new Fields(words);
    return Optional.of(
        new Mapping(
            words[2],
            fields.join("src", "sport", 0),
            fields.join("dst", "dport", 1),
            fields.join("dst", "dport", 0),
            Integer.parseInt(words[4]),
            !line.contains("[UNREPLIED]")));
  }

  /** The {@code key=value} words; every key comes twice, for each direction once. */
  private record Fields(String[] words) {

    String join(String address, String port, int direction) {
      return get(address, direction) + ":" + get(port, direction);
    }

    private String get(String key, int direction) {
      List<String> values = new ArrayList<>();
      for (String word : words) {
        if (word.startsWith(key + "=")) {
          values.add(word.substring(key.length() + 1));
        }
      }
      if (values.size() <= direction) {
        throw new LabException("conntrack: " + String.join(" ", words) + " (expected " + key + ")");
      }
      return shorten(values.get(direction));
    }

    /** The kernel writes IPv6 addresses in full; people and URLs do not. */
    private static String shorten(String value) {
      if (!value.contains(":")) {
        return value;
      }
      return "[" + value.replaceAll("(^|:)0+(?=[0-9a-f])", "$1").replaceAll("(:0)+:", "::") + "]";
    }
  }
}
