package dev.beckon.server.directory;

import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.directory.ServerAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A server other than the rendezvous server, as the rendezvous server knows it.
 *
 * @param number 1 to 65,534; 65,535 for a directory server of its own
 * @param name for people
 * @param address as it stands in the list; {@link ServerAddress#parse} reads it
 * @param generation counts enrollments; 0 until the first one
 * @param enrolledAt time of the latest enrollment
 */
public record ApplicationServer(
    int number,
    String name,
    String address,
    int generation,
    State state,
    Instant addedAt,
    @Nullable Instant enrolledAt) {

  /** Longest name, in characters. */
  public static final int MAX_NAME_CHARS = 100;

  /** How far a server has come. */
  public enum State {
    /** Added, but its enrollment code was not used yet. */
    INVITED,
    ENROLLED,
    /** Not in the list any more, and shut out; kept, so that its generations are never repeated. */
    REMOVED
  }

  /**
   * Refuses what can be no server's number.
   *
   * @throws IllegalArgumentException with a message for people
   */
  public static int checkNumber(int number) {
    if (number < 1 || number > Wake.DIRECTORY_SERVER) {
      throw unfitNumber(Integer.toString(number));
    }
    return number;
  }

  /**
   * Reads a server's number.
   *
   * @throws IllegalArgumentException if it can be none, with a message for people
   */
  public static int parseNumber(String text) {
    if (!text.matches("[0-9]{1,9}")) {
      throw unfitNumber(text);
    }
    return checkNumber(Integer.parseInt(text));
  }

  private static IllegalArgumentException unfitNumber(String number) {
    return new IllegalArgumentException(
        "number: " + number + " (expected 1 to 65534, or 65535 for a directory server of its own)");
  }

  /** Refuses what people could not tell apart or a terminal would act on. */
  static String checkName(String name) {
    boolean fit =
        !name.isBlank()
            && name.length() <= MAX_NAME_CHARS
            && name.codePoints().noneMatch(Character::isISOControl);
    if (!fit) {
      throw new IllegalArgumentException(
          "name: "
              + (name.length() <= MAX_NAME_CHARS ? "not printable" : name.length() + " characters")
              + " (expected 1 to "
              + MAX_NAME_CHARS
              + " printable characters)");
    }
    return name;
  }

  static String checkAddress(String address) {
    ServerAddress.parse(address);
    return address;
  }
}
