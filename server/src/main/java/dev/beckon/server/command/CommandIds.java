package dev.beckon.server.command;

import java.math.BigInteger;
import java.util.random.RandomGenerator;

/**
 * Makes command IDs: 26 characters of Crockford's base 32, 48 bits of unix milliseconds before 80
 * random bits (the layout of a ULID). Each is greater than the one before, also within one
 * millisecond and when the clock is set back. Not thread-safe.
 */
final class CommandIds {

  /** Characters of an ID. */
  static final int LENGTH = 26;

  private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  private static final int RANDOM_BITS = 80;
  private static final int BITS_PER_CHARACTER = 5;

  private final RandomGenerator random;
  private BigInteger last;

  /**
   * @param lastId the newest ID in use; empty if there is none
   */
  CommandIds(RandomGenerator random, String lastId) {
    this.random = random;
    this.last = lastId.isEmpty() ? BigInteger.ZERO : parse(lastId);
  }

  String next(long nowMillis) {
    byte[] bits = new byte[RANDOM_BITS / 8];
    random.nextBytes(bits);
    BigInteger id =
        BigInteger.valueOf(nowMillis).shiftLeft(RANDOM_BITS).or(new BigInteger(1, bits));
    // The same millisecond or an earlier one: count on from the last ID.
    last = id.compareTo(last) > 0 ? id : last.add(BigInteger.ONE);
    return format(last);
  }

  private static String format(BigInteger id) {
    char[] text = new char[LENGTH];
    BigInteger rest = id;
    for (int i = LENGTH - 1; i >= 0; i--) {
      text[i] = ALPHABET.charAt(rest.intValue() & 31);
      rest = rest.shiftRight(BITS_PER_CHARACTER);
    }
    return new String(text);
  }

  private static BigInteger parse(String id) {
    BigInteger value = BigInteger.ZERO;
    for (int i = 0; i < id.length(); i++) {
      int bits = ALPHABET.indexOf(id.charAt(i));
      value = value.shiftLeft(BITS_PER_CHARACTER).or(BigInteger.valueOf(bits));
    }
    return value;
  }
}
