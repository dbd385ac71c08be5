package dev.beckon.server.session;

import io.netty.channel.ChannelPipeline;
import java.security.cert.X509Certificate;

/** Takes over connections of other servers of the fleet (ALPN {@code beckon-peer/1}). */
@FunctionalInterface
public interface PeerConnections {

  /**
   * The TLS handshake is done, and its certificate is one of this fleet's for this server. Whether
   * the number is still to be admitted is to be judged here.
   *
   * @param pipeline of the connection; ends with TLS. Called on its event loop
   * @param certificate the one shown; its root may be dropped while the connection lasts
   */
  void connected(ChannelPipeline pipeline, int number, int generation, X509Certificate certificate);
}
