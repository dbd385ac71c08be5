package dev.beckon.device.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;

/** Opens connections to a server. Thread-safe. */
public sealed interface Dialler permits TlsDialler, PlainDialler {

  /** Gets ready, so that the first dial need not. */
  void warmUp();

  /**
   * Connects, and makes sure that it is the server as far as the security goes; blocks.
   *
   * @param host name of the server
   * @param addresses of the host, in the order in which to try them
   * @param opening gets each plain socket before it connects, so that another thread can close it
   * @throws IOException if no address of the server answers, or it is not the right server
   */
  Socket dial(String host, List<InetAddress> addresses, int port, TcpDialler.Opening opening)
      throws IOException;

  /** What it may mean that the server hung up without a word; empty if there is nothing to say. */
  String hint();
}
