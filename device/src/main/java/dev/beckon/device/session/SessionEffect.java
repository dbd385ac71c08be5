package dev.beckon.device.session;

import dev.beckon.device.command.CommandEffect;
import dev.beckon.device.command.CommandKey;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Renewal;

/** What {@link SessionLogic} wants done, in this order. */
public sealed interface SessionEffect {
  /** Send the frame. */
  record Send(Frame frame) implements SessionEffect {}

  /** Send the command's result body, in chunks. */
  record SendBody(CommandKey key) implements SessionEffect {}

  /**
   * The server welcomed the device.
   *
   * @param serverTimeMillis its clock, unix time
   */
  record Welcomed(long serverTimeMillis) implements SessionEffect {}

  /** The server knows the device's actions now; no need to dial in for them at the next start. */
  record ActionsConfirmed() implements SessionEffect {}

  /**
   * Something to do with a command that outlives the session: run it, or discard its bodies. A
   * report is here to be seen; if it can be sent in this session, {@link Send} follows. One about
   * another server's command (which may have waited for one of this server) is that server's.
   */
  record OfCommand(CommandEffect effect) implements SessionEffect {}

  /**
   * A list came, whole: judge it.
   *
   * @param version as the server calls it
   * @param signed a serialized SignedDirectory; not to be changed
   * @param tooLong it is longer than a device takes, and {@code signed} is empty
   */
  record Directory(long version, byte[] signed, boolean tooLong) implements SessionEffect {}

  /** The directory was wanted, and the server has said all that it has to say. */
  record Pulled() implements SessionEffect {}

  /**
   * Another server waits for the device.
   *
   * @param deadlineMillis of the wake, unix time
   */
  record Waiting(int server, long wakeId, long deadlineMillis) implements SessionEffect {}

  /**
   * Make a new key and a certificate request for it, and pass it to {@link
   * RenewalExchange#onCertificateRequest}.
   */
  record Renew() implements SessionEffect {}

  /** Take the device's new identity over. */
  record Renewed(Renewal renewal) implements SessionEffect {}

  /** The server will not renew the identity. */
  record RenewalRefused(String code) implements SessionEffect {}

  /**
   * Close the connection, after what is to be sent.
   *
   * @param reason one word for logs
   */
  record Close(String reason) implements SessionEffect {}
}
