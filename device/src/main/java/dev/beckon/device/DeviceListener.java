package dev.beckon.device;

import java.net.InetSocketAddress;
import java.time.Instant;

/**
 * Told of what happens on a device. All methods may be called on any of the device's threads, one
 * at a time or not, and must return quickly; what they throw is ignored.
 */
public interface DeviceListener {
  /**
   * The server answered a keepalive.
   *
   * @param mapped the address that the server saw
   * @param server the address that was asked
   */
  default void onKeepaliveAnswered(InetSocketAddress mapped, InetSocketAddress server) {}

  /** The device has another mapped address than before, or its first. */
  default void onMappedAddress(InetSocketAddress mapped) {}

  /**
   * A new socket was opened for datagrams: at the start, after silence, or after the network
   * changed.
   *
   * @param local its address
   * @param server whom it talks to
   * @param why one word
   */
  default void onSocket(InetSocketAddress local, InetSocketAddress server, String why) {}

  /**
   * The host that keepalives go to cannot be resolved, and no address of it is known from before.
   * It is asked for again every few seconds; this is told once per outage.
   */
  default void onUnresolved(String host) {}

  /**
   * An authentic wake came, or it became known that its server cannot be dialled.
   *
   * @param number of the server that it names
   * @param verdict {@code accepted}, {@code repeated}, or why it was ignored; {@code waiting} if
   *     the rendezvous server told of it in a session; {@code unknown-server} some time after
   *     {@code accepted} if no list that could be got names the server
   */
  default void onWake(int number, long wakeId, Instant deadline, String verdict) {}

  /**
   * The device dials.
   *
   * @param number of the server
   * @param server its address
   * @param wakeId the wake that made it, 0 if none did
   */
  default void onDial(int number, InetSocketAddress server, long wakeId) {}

  /** No session came of dialling; it is tried again unless the time for it is over. */
  default void onDialFailed(int number, InetSocketAddress server, String reason) {}

  /** The server of that number welcomed the device. */
  default void onSessionOpened(int number, long wakeId) {}

  /** A session that was opened is over. */
  default void onSessionClosed(int number, String reason) {}

  /**
   * A server sent a directory.
   *
   * @param version as the server calls it
   * @param verdict {@code accepted}; or why it was refused: {@code same}, {@code older}, {@code
   *     untrusted}, {@code forged}, {@code malformed}, {@code too-long}
   */
  default void onDirectory(long version, String verdict) {}

  /**
   * The server renewed the device's identity: certificate, CA roots and device key.
   *
   * @param keyId of the master key that the device key comes from
   * @param validUntil end of the certificate's life
   */
  default void onRenewed(int keyId, Instant validUntil) {}

  /**
   * A command has another state.
   *
   * @param state as in the server's API, such as {@code RUNNING}
   * @param reason empty if there is none to tell
   */
  default void onCommand(String commandId, String action, String state, String reason) {}
}
