package dev.beckon.server.session;

import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which servers of the directory this process is.
 *
 * @param held devices that mean one of these get a session
 * @param delivering the one of them whose commands are kept here; empty if there are none
 */
public record ServerNumbers(Set<Integer> held, OptionalInt delivering) {

  public ServerNumbers {
    held = new TreeSet<>(held); // sorted, for people
    if (delivering.isPresent() && !held.contains(delivering.getAsInt())) {
      throw new IllegalArgumentException(
          "delivering: " + delivering.getAsInt() + " (expected one of " + held + ")");
    }
  }

  /** One number with commands. */
  public static ServerNumbers delivering(int number) {
    return new ServerNumbers(Set.of(number), OptionalInt.of(number));
  }

  boolean delivers(int number) {
    return delivering.isPresent() && delivering.getAsInt() == number;
  }
}
