package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.InetSocketAddress;

/**
 * Is told when sessions begin and end. Called on a network thread: return at once, block never.
 *
 * <p>For one device, calls come in order: {@link #opened}, any number of {@link #inquired}, {@link
 * #closed}. If a newer session replaces an older one, {@link #opened} comes again without a {@link
 * #closed} between.
 */
public interface SessionListener {

  /**
   * A device's Hello was accepted. Its outstanding wake is thereby over.
   *
   * @param wakeId the wake that the device follows; 0 if it came on its own
   * @param from the address of the device's TCP connection, as this server sees it
   */
  default void opened(DeviceId id, long wakeId, InetSocketAddress from, long nowMillis) {}

  /**
   * The device asked, in an open session, what is wanted of it. The wake is thereby over.
   *
   * @param wakeId the wake that the inquiry follows; 0 if none
   */
  default void inquired(DeviceId id, long wakeId, long nowMillis) {}

  /**
   * The device has no session any more. Commands that it did not take are still deliverable:
   * whoever sends wakes asks the store for them now.
   */
  default void closed(DeviceId id, CloseReason reason, long nowMillis) {}

  /**
   * Whether the wake told the device to wait before it dials. Such a session does not linger.
   *
   * @param wakeId the wake that a session follows; not 0
   */
  default boolean carriedDialBackDelay(DeviceId id, long wakeId) {
    return false;
  }
}
