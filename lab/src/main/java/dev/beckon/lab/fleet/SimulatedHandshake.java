package dev.beckon.lab.fleet;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/**
 * A TLS handshake and nothing else. It counts once the server has ended the connection as well: a
 * client is done before the server has looked at its certificate. Event loop only.
 */
final class SimulatedHandshake extends ChannelInboundHandlerAdapter {

  private final SessionLoad load;
  private final SessionLoad.Dial dial;
  private final SslHandler tls;

  private @Nullable String failure = "ended before the handshake did";

  SimulatedHandshake(SessionLoad load, SessionLoad.Dial dial, SslHandler tls) {
    this.load = load;
    this.dial = dial;
    this.tls = tls;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (!handshake.isSuccess()) {
        failure = "handshake: " + handshake.cause();
        return;
      }
      failure = null;
      load.handshakeDone(dial);
      tls.closeOutbound()
          .addListener(
              closed -> {
                if (ctx.channel() instanceof DuplexChannel duplex) {
                  duplex.shutdownOutput();
                }
              });
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    failure = "connection: " + cause;
    ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    load.ended(dial, failure);
  }
}
