package dev.beckon.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;

/** A running server. */
public final class Server implements AutoCloseable {
  private Server() {}

  /**
   * Starts a server; it takes traffic when this returns.
   *
   * @throws IOException with a message for people if an address or the data folder cannot be used
   */
  public static Server start(ServerConfig config) throws IOException {
    throw new UnsupportedOperationException("not put together yet: " + config);
  }

  /** The addresses that take keepalives, with their real ports. */
  public List<InetSocketAddress> udpAddresses() {
    throw new UnsupportedOperationException();
  }

  public InetSocketAddress tlsAddress() {
    throw new UnsupportedOperationException();
  }

  public InetSocketAddress httpAddress() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
