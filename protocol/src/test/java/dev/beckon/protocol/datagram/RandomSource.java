package dev.beckon.protocol.datagram;

import java.security.SecureRandom;
import java.util.Random;

/** A new seed at each run, always printed; {@code -Dbeckon.seed=N} repeats a run. */
final class RandomSource {
  private RandomSource() {}

  static Random of(String purpose) {
    long seed = Long.getLong("beckon.seed", new SecureRandom().nextLong());
    System.out.println(purpose + ": seed " + seed + " (again with -Dbeckon.seed=" + seed + ")");
    return new Random(seed);
  }
}
