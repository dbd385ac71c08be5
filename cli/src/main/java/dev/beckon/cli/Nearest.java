package dev.beckon.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what somebody probably meant by a mistyped word. */
final class Nearest {

  private Nearest() {}

  /**
   * The candidate with the fewest edits from {@code word}, if it is near enough to be worth saying:
   * one edit for every three letters, and always one.
   */
  static Optional<String> to(String word, Collection<String> candidates) {
    String typed = word.toLowerCase(Locale.ROOT);
    int farthest = Math.max(1, typed.length() / 3);
    return candidates.stream()
        .filter(candidate -> edits(typed, candidate) <= farthest || isBeginning(typed, candidate))
        .min(
            Comparator.<String>comparingInt(candidate -> edits(typed, candidate))
                .thenComparing(Comparator.naturalOrder()));
  }

  private static boolean isBeginning(String typed, String candidate) {
    return typed.length() >= 2 && candidate.startsWith(typed);
  }

  /** Edits between two words: a letter more, less or another, or two neighbours swapped. */
  private static int edits(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replaced = cost[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        cost[i][j] = Math.min(replaced, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[a.length()][b.length()];
  }
}
