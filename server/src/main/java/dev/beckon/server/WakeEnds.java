package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.session.CloseReason;
import dev.beckon.server.session.SessionListener;
import java.net.InetSocketAddress;
import java.util.Map;

/**
 * What sessions on the rendezvous server say about wakes: a device that dialled needs none any
 * more, and one that cannot find a server will not dial it. The rest is for another listener.
 */
final class WakeEnds implements SessionListener {

  private final RendezvousPart rendezvous;
  private final SessionListener other;

  /**
   * @param other hears of sessions too
   */
  WakeEnds(RendezvousPart rendezvous, SessionListener other) {
    this.rendezvous = rendezvous;
    this.other = other;
  }

  @Override
  public void opened(DeviceId id, int server, long wakeId, InetSocketAddress from, long nowMillis) {
    rendezvous.dialled(id, server);
    other.opened(id, server, wakeId, from, nowMillis);
  }

  @Override
  public void inquired(DeviceId id, int server, long wakeId, long nowMillis) {
    rendezvous.dialled(id, server);
    other.inquired(id, server, wakeId, nowMillis);
  }

  @Override
  public void closed(DeviceId id, int server, CloseReason reason, long nowMillis) {
    other.closed(id, server, reason, nowMillis);
  }

  @Override
  public boolean carriedDialBackDelay(DeviceId id, long wakeId) {
    return other.carriedDialBackDelay(id, wakeId);
  }

  @Override
  public void unknownServer(
      DeviceId id, int server, long wakeId, int directoryVersion, long nowMillis) {
    rendezvous.endWake(id, server);
    rendezvous
        .peers()
        .evidence(
            server,
            id,
            wakeId,
            "wake-unknown-server",
            Map.of(
                "wakeId",
                Long.toHexString(wakeId),
                "directoryVersion",
                Integer.toUnsignedString(directoryVersion)));
  }
}
