package dev.beckon.server.peer;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerRoots;

/** What {@link PeerLogic} wants done, in the order of its list. */
sealed interface PeerEffect {

  record Send(PeerFrame frame) implements PeerEffect {}

  /**
   * The server is admitted: make this its one connection, replacing an older one. Then call {@link
   * PeerLogic#onAdmitted}.
   *
   * @param directoryVersion of the signed list that it holds; 0 = none
   */
  record Admit(int directoryVersion) implements PeerEffect {}

  /** Read the device, then call {@link PeerLogic#onDeviceRead}. */
  record ReadDevice(long requestId, DeviceId id) implements PeerEffect {}

  /** Wake the device if it may be, then call {@link PeerLogic#onWakeAsked}. */
  record Wake(long requestId, DeviceId id, long deadlineMillis) implements PeerEffect {}

  /** The device dialled this server. */
  record Served(DeviceId id) implements PeerEffect {}

  /** Certify the key of this request, then call {@link PeerLogic#onRenewed}. */
  record Renew(byte[] certificateRequest) implements PeerEffect {}

  /** The server says which CA roots it goes by. */
  record Holds(PeerRoots roots) implements PeerEffect {}

  /** A frame about the directory; not this logic's business. */
  record Directory(PeerFrame frame) implements PeerEffect {}

  /** Take no more frames until {@link ResumeReading}. */
  record PauseReading() implements PeerEffect {}

  record ResumeReading() implements PeerEffect {}

  /** Close the connection once all that was sent is written. The last effect. */
  record Close(PeerEnd end) implements PeerEffect {}
}
