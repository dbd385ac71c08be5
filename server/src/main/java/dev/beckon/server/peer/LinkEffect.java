package dev.beckon.server.peer;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.DeviceAnswer;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerRenewal;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.protocol.peer.WakeEvidence;
import java.util.Map;

/** What {@link PeerLinkLogic} wants done, in the order of its list. */
sealed interface LinkEffect {

  /** Dial the rendezvous server; then one of onConnected and onConnectionLost follows. */
  record Dial() implements LinkEffect {}

  record Send(PeerFrame frame) implements LinkEffect {}

  /** Close the connection once all that was sent is written. */
  record Cut() implements LinkEffect {}

  /**
   * The rendezvous server can be asked, and its whole deny-list was told: every device that waits
   * is to be asked for.
   */
  record Up(String name) implements LinkEffect {}

  /** It cannot be asked any more, or not at all. Told once until the next {@link Up}. */
  record Away(PeerEnd end, String why) implements LinkEffect {}

  /** A wake was refused. */
  record Refused(DeviceId id, String refusal) implements LinkEffect {}

  record Evidence(WakeEvidence evidence) implements LinkEffect {}

  /** The answer to a query. */
  record Device(long requestId, DeviceAnswer answer) implements LinkEffect {}

  /** These generations and older ones are shut out. */
  record Denied(Map<String, Integer> minimumGenerations) implements LinkEffect {}

  record Renewed(PeerRenewal renewal) implements LinkEffect {}

  /** Which CA roots count now. */
  record Roots(PeerRoots ofToday) implements LinkEffect {}

  /** A frame about the directory; not this logic's business. */
  record Directory(PeerFrame frame) implements LinkEffect {}
}
