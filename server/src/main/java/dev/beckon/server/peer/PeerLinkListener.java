package dev.beckon.server.peer;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerRenewal;
import dev.beckon.protocol.peer.PeerRoots;
import java.time.Instant;
import java.util.Map;

/** Learns what comes over the connection to the rendezvous server. Must return at once. */
public interface PeerLinkListener {

  /**
   * The rendezvous server can be asked, and its whole deny-list was told: what waits is to be asked
   * for again.
   */
  void up();

  /** It cannot be asked any more, or not at all. Told once until the next {@link #up}. */
  void away(String why);

  /**
   * A wake was refused.
   *
   * @param refusal {@code device-unknown} or {@code device-revoked}
   */
  void refused(DeviceId id, String refusal);

  /**
   * Something became of a wake for this server.
   *
   * @param at when it did, by this server's clock
   */
  void evidence(DeviceId id, Instant at, String event, Map<String, String> details);

  /** Older generations of these devices are shut out. */
  void denied(Map<String, Integer> minimumGenerations);

  /** These CA roots count now; told behind each {@link #up}, and when they change. */
  void roots(PeerRoots ofToday);

  /** A new certificate came, as asked for; an empty one if it was refused. */
  void renewed(PeerRenewal renewal);
}
