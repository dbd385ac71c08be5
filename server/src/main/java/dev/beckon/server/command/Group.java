package dev.beckon.server.command;

import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A group command as it stands: one command each for all devices that have some labels.
 *
 * @param id of the same series as those of commands
 * @param labels that the devices have, all of them; sorted
 * @param args as with a single command; secret values read {@code (secret)}
 * @param bodyBytes length of the body; 0 = none
 * @param acceptedAt when it was durable, whole milliseconds
 * @param deadline until when the devices may start, whole milliseconds
 * @param devices how many commands it has, or will have; if it was cancelled while they were being
 *     added: how many it should have had
 * @param complete whether none is added any more
 * @param cancelAsked whether somebody wants it cancelled
 * @param counts how many of its commands are in each state; missing = none
 * @param endedAt when the last command ended; null while one has not
 * @param secrecy which parts are secret
 */
public record Group(
    String id,
    List<String> labels,
    String action,
    Map<String, String> args,
    long bodyBytes,
    Instant acceptedAt,
    Instant deadline,
    int devices,
    boolean complete,
    boolean cancelAsked,
    Map<CommandState, Integer> counts,
    @Nullable Instant endedAt,
    Secrecy secrecy) {

  public Group {
    labels = List.copyOf(labels);
    args = Map.copyOf(args);
    EnumMap<CommandState, Integer> copy = new EnumMap<>(CommandState.class);
    copy.putAll(counts);
    counts = Collections.unmodifiableMap(copy);
  }

  Group with(Map<CommandState, Integer> newCounts) {
    return with(args, newCounts);
  }

  /** The group with its secret values; the caller sees to it that they are not shown. */
  Group revealing(Map<String, String> secrets) {
    Map<String, String> values = new HashMap<>(args);
    values.replaceAll((name, value) -> secrets.getOrDefault(name, value));
    return with(values, counts);
  }

  private Group with(Map<String, String> newArgs, Map<CommandState, Integer> newCounts) {
    return new Group(
        id,
        labels,
        action,
        newArgs,
        bodyBytes,
        acceptedAt,
        deadline,
        devices,
        complete,
        cancelAsked,
        newCounts,
        endedAt,
        secrecy);
  }

  /** How many of its commands are in this state. */
  public int count(CommandState state) {
    return counts.getOrDefault(state, 0);
  }

  /** Without arguments, as a command. */
  @Override
  public String toString() {
    return "group command " + id + " to " + labels + ": " + action + " " + counts;
  }
}
