package dev.beckon.server;

import dev.beckon.server.api.MetricsText;
import dev.beckon.server.peer.PeerCounters;
import dev.beckon.server.peer.PeerEnd;

/** The figures of connections between servers, the same on both sides. */
final class PeerMetrics {

  private PeerMetrics() {}

  static void write(MetricsText text, PeerCounters peers) {
    text.counter(
        "beckon_peer_connections_total",
        "Connections between servers that were admitted.",
        peers.opened());
    text.counter(
        "beckon_peer_wakes_total", "Wakes asked for by other servers.", peers.wakesAsked());
    text.counter(
        "beckon_peer_wakes_refused_total",
        "Wakes for other servers that were refused.",
        peers.wakesRefused());
    for (PeerEnd end : PeerEnd.values()) {
      text.counter(
          "beckon_peer_connections_ended_total",
          "Connections between servers that ended or failed, by reason.",
          peers.ended(end),
          "reason",
          end.code());
    }
  }
}
