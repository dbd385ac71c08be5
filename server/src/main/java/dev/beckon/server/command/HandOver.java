package dev.beckon.server.command;

import java.util.List;

/**
 * What a session owes its device.
 *
 * @param commands to send, in order of acceptance
 * @param cancellations IDs of commands that the device may have from an earlier session and that
 *     somebody wants cancelled
 */
public record HandOver(List<Command> commands, List<String> cancellations) {

  public HandOver {
    commands = List.copyOf(commands);
    cancellations = List.copyOf(cancellations);
  }
}
