package dev.beckon.server.session;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import jdk.net.ExtendedSocketOptions;

/** How bytes come in: epoll where it loads, else NIO. */
enum SessionTransport {
  EPOLL {
    @Override
    IoHandlerFactory handlers() {
      return EpollIoHandler.newFactory();
    }

    @Override
    ChannelFactory<? extends ServerChannel> serverChannels() {
      return EpollServerSocketChannel::new;
    }

    @Override
    void watchForDeadPeers(ServerBootstrap bootstrap) {
      bootstrap
          .childOption(ChannelOption.SO_KEEPALIVE, true)
          .childOption(EpollChannelOption.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
          .childOption(EpollChannelOption.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
          .childOption(EpollChannelOption.TCP_KEEPCNT, KEEPALIVE_PROBES)
          .childOption(EpollChannelOption.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLIS);
    }
  },
  NIO {
    @Override
    IoHandlerFactory handlers() {
      return NioIoHandler.newFactory();
    }

    @Override
    ChannelFactory<? extends ServerChannel> serverChannels() {
      return NioServerSocketChannel::new;
    }

    @Override
    void watchForDeadPeers(ServerBootstrap bootstrap) {
      bootstrap
          .childOption(ChannelOption.SO_KEEPALIVE, true)
          .childOption(
              NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE), KEEPALIVE_IDLE_SECONDS)
          .childOption(
              NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL),
              KEEPALIVE_INTERVAL_SECONDS)
          .childOption(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT), KEEPALIVE_PROBES);
    }
  };

  // A session with a running command may be silent for hours, and a device that lost its power
  // says nothing. About a minute after that the kernel ends the connection, and the device's next
  // session is not needed to find out.
  private static final int KEEPALIVE_IDLE_SECONDS = 30;
  private static final int KEEPALIVE_INTERVAL_SECONDS = 10;
  private static final int KEEPALIVE_PROBES = 3;
  private static final int UNACKNOWLEDGED_MILLIS = 60_000;

  static SessionTransport of(boolean nativeParts) {
    return nativeParts && Epoll.isAvailable() ? EPOLL : NIO;
  }

  abstract IoHandlerFactory handlers();

  abstract ChannelFactory<? extends ServerChannel> serverChannels();

  /** Lets the kernel notice a peer that is gone without a word. */
  abstract void watchForDeadPeers(ServerBootstrap bootstrap);
}
