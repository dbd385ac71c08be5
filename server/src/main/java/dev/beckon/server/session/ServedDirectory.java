package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.server.directory.SignedList;
import java.util.List;
import java.util.Optional;

/** The directory as sessions serve it. Called on network threads: answer from memory, at once. */
public interface ServedDirectory {

  /** The signed list that this server holds. */
  default Optional<SignedList> current() {
    return Optional.empty();
  }

  /** Other servers that have wakes outstanding for the device; asked for sessions with number 0. */
  default List<WaitingServer> waitingServers(DeviceId id) {
    return List.of();
  }

  /**
   * The device holds this version: it said so, or the list was sent to it as a whole.
   *
   * @param version 0 = none
   */
  default void holds(DeviceId id, long version) {}
}
