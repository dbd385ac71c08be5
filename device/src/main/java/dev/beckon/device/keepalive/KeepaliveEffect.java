package dev.beckon.device.keepalive;

import java.net.InetSocketAddress;

/** What {@link KeepaliveLogic} wants done. */
public sealed interface KeepaliveEffect {
  /**
   * Send these bytes to the server.
   *
   * @param bytes a whole datagram
   */
  record Send(byte[] bytes) implements KeepaliveEffect {}

  /** Resolve the server's name, open a new socket, then call {@link KeepaliveLogic#start}. */
  record Rebind() implements KeepaliveEffect {}

  /** Open a session although no wake came. */
  record DialIn() implements KeepaliveEffect {}

  /**
   * The server answered; its clock is the device's.
   *
   * @param mapped the address that the server saw
   * @param serverTimeMillis unix time
   * @param directoryVersion of the list that the server holds; 0 = none
   * @param first whether it is the first answer since the socket was opened
   */
  record Answered(
      InetSocketAddress mapped, long serverTimeMillis, long directoryVersion, boolean first)
      implements KeepaliveEffect {}

  /**
   * The device has another mapped address than before (or its first).
   *
   * @param mapped the new one
   */
  record Remapped(InetSocketAddress mapped) implements KeepaliveEffect {}
}
