package dev.beckon.server.session;

import io.netty.channel.ChannelPipeline;

/** Takes over connections of other servers of the fleet (ALPN {@code beckon-peer/1}). */
@FunctionalInterface
public interface PeerConnections {

  /**
   * The TLS handshake is done, and its certificate is one of this fleet's for this server. Whether
   * the number is still to be admitted is to be judged here.
   *
   * @param pipeline of the connection; ends with TLS. Called on its event loop
   */
  void connected(ChannelPipeline pipeline, int number, int generation);
}
