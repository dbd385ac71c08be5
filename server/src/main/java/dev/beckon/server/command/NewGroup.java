package dev.beckon.server.command;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A command that somebody wants on all devices that have some labels.
 *
 * @param labels a device must have all of them; at least one
 * @param command what each device gets; the device ID in it stands for all of them
 * @param deadlineAllowsForTurns whether the deadline moves out by the time in which the last
 *     device's turn to be woken comes at the latest; else it is the same for a group of any size
 */
public record NewGroup(
    SortedSet<String> labels, NewCommand command, boolean deadlineAllowsForTurns) {

  public NewGroup {
    if (labels.isEmpty()) {
      throw new IllegalArgumentException("labels: none (expected at least one)");
    }
    labels = Collections.unmodifiableSortedSet(new TreeSet<>(labels));
  }

  /** What makes two requests the same; see {@link ContentHash#of}. */
  byte[] contentHash() {
    ContentHash hash = new ContentHash().add("group");
    labels.forEach(hash::add);
    return hash.add(ContentHash.of(command)).digest();
  }

  @Override
  public String toString() {
    return "new command to " + labels + ": " + command.action();
  }
}
