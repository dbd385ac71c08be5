package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.InetSocketAddress;

/**
 * Is told when sessions begin and end. Called on a network thread: return at once, block never.
 *
 * <p>For one device and server number, calls come in order: {@link #opened}, any number of {@link
 * #inquired}, {@link #closed}. If a newer session replaces an older one, {@link #opened} comes
 * again without a {@link #closed} between.
 */
public interface SessionListener {

  /**
   * A device's Hello was accepted. Its outstanding wake for that server is thereby over.
   *
   * @param server the number that the device dialled
   * @param wakeId the wake that the device follows; 0 if it came on its own
   * @param from the address of the device's TCP connection, as this server sees it
   */
  default void opened(
      DeviceId id, int server, long wakeId, InetSocketAddress from, long nowMillis) {}

  /**
   * The device asked, in an open session, what is wanted of it. The wake is thereby over.
   *
   * @param server the number that the device dialled
   * @param wakeId the wake that the inquiry follows; 0 if none
   */
  default void inquired(DeviceId id, int server, long wakeId, long nowMillis) {}

  /**
   * The device has no session with that server any more. Commands that it did not take are still
   * deliverable: whoever sends wakes asks the store for them now.
   *
   * @param server the number that the device dialled
   */
  default void closed(DeviceId id, int server, CloseReason reason, long nowMillis) {}

  /**
   * A wake named a server that is in no list the device could get.
   *
   * @param server the number that the wake named
   * @param directoryVersion of the list that the device looked it up in
   */
  default void unknownServer(
      DeviceId id, int server, long wakeId, int directoryVersion, long nowMillis) {}

  /**
   * Whether the wake told the device to wait before it dials. Such a session does not linger.
   *
   * @param wakeId the wake that a session follows; not 0
   */
  default boolean carriedDialBackDelay(DeviceId id, long wakeId) {
    return false;
  }
}
