package dev.beckon.device.directory;

import dev.beckon.protocol.directory.ServerAddress;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A list of servers: their numbers and where to dial them. Immutable.
 *
 * @param version counts up; 0 of the empty one that a device begins with
 * @param addresses by server number, 1 to 65535
 */
public record Directory(long version, Map<Integer, ServerAddress> addresses) {
  /** No list yet. */
  public static final Directory NONE = new Directory(0, Map.of());

  private static final int MAX_NUMBER = 65_535;
  private static final int MAX_NAME_CHARS = 200;

  public Directory {
    addresses = Map.copyOf(addresses);
  }

  /** Where the server is; null if the list does not name it. */
  public @Nullable ServerAddress addressOf(int server) {
    return addresses.get(server);
  }

  /** Whether the list names the server. */
  public boolean names(int server) {
    return addresses.containsKey(server);
  }

  /**
   * Reads a list.
   *
   * @throws IllegalArgumentException if an entry is malformed; the message names it
   */
  static Directory of(DirectoryList list) {
    long version = Integer.toUnsignedLong(list.getVersion());
    if (version == 0) {
      throw new IllegalArgumentException("version: 0 (expected 1 or more)");
    }
    Map<Integer, ServerAddress> addresses = new HashMap<>();
    int former = 0;
    for (DirectoryEntry entry : list.getEntriesList()) {
      int number = entry.getNumber();
      if (number <= former || number > MAX_NUMBER) {
        throw new IllegalArgumentException(
            "number: " + Integer.toUnsignedString(number) + " (expected 1 to 65535, sorted)");
      }
      if (entry.getName().length() > MAX_NAME_CHARS) {
        throw new IllegalArgumentException(
            "name of " + number + ": " + entry.getName().length() + " characters (at most 200)");
      }
      addresses.put(number, ServerAddress.parse(entry.getAddress()));
      former = number;
    }
    return new Directory(version, addresses);
  }
}
