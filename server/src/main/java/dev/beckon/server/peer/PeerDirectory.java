package dev.beckon.server.peer;

import dev.beckon.protocol.peer.PeerFrame;

/**
 * How the directory travels between servers; {@link PeerServer} and {@link PeerLink} only carry its
 * frames. Called on network threads: return at once.
 */
public interface PeerDirectory {

  /** Takes part in nothing. */
  PeerDirectory NONE = new PeerDirectory() {};

  /**
   * A server connected, and takes frames from now on.
   *
   * @param number of the other server; 0 for the rendezvous server
   * @param version of the signed list that it holds; 0 = none, or not told
   */
  default void connected(int number, int version) {}

  /** A DirectoryContents or DirectoryPiece came from that server. */
  default void received(int number, PeerFrame frame) {}

  default void disconnected(int number) {}

  /** Version of the signed list that this server holds; 0 = none. */
  default int version() {
    return 0;
  }
}
