package dev.beckon.server.command;

import java.time.Instant;
import java.util.Map;

/**
 * Something that happened to a command, with the evidence.
 *
 * @param at this server's time, whole milliseconds
 * @param event {@code queued}, {@code wake-sent}, {@code wake-answered}, {@code session-opened},
 *     {@code cancel-asked}, {@code delivered}, {@code started}, {@code progress} or {@code
 *     finished}
 * @param details addresses, counts and the like, by name
 */
public record TimelineEntry(Instant at, String event, Map<String, String> details) {

  public TimelineEntry {
    details = Map.copyOf(details);
  }
}
