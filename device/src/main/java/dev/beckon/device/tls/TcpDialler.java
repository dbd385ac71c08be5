package dev.beckon.device.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;

/** Opens TCP connections to a server that has several addresses. */
public final class TcpDialler {
  /** Three transmissions of a lost SYN (1 + 2 + 4 s) and a slow line. */
  private static final int CONNECT_MILLIS = 10_000;

  /** While other addresses are left: two transmissions. Somebody waits for a command. */
  private static final int CONNECT_FIRST_MILLIS = 3_000;

  private TcpDialler() {}

  /** Told of each socket before it blocks. */
  @FunctionalInterface
  public interface Opening {
    /**
     * @throws IOException to give up
     */
    void onSocket(Socket socket) throws IOException;
  }

  /** Makes a connection of what is connected; what it throws makes the next address be tried. */
  @FunctionalInterface
  public interface Handshake<S extends Socket> {
    S shake(Socket plain) throws IOException;
  }

  /**
   * Connects to the first address that the handshake succeeds with; blocks.
   *
   * @param addresses at least one, in the order in which to try them
   * @param opening gets each socket before it connects, so that another thread can close it
   * @throws IOException the first failure, the others suppressed in it, if none succeeds
   */
  public static <S extends Socket> S dial(
      List<InetAddress> addresses, int port, Opening opening, Handshake<S> handshake)
      throws IOException {
    IOException first = null;
    for (int i = 0; i < addresses.size(); i++) {
      boolean last = i == addresses.size() - 1;
      Socket plain = new Socket();
      try {
        opening.onSocket(plain);
        plain.setTcpNoDelay(true); // without it a session waits for delayed ACKs: some 60 ms
        plain.setKeepAlive(true);
        plain.connect(
            new InetSocketAddress(addresses.get(i), port),
            last ? CONNECT_MILLIS : CONNECT_FIRST_MILLIS);
        return handshake.shake(plain);
      } catch (IOException e) {
        plain.close();
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      } catch (RuntimeException e) {
        plain.close();
        throw e;
      }
    }
    throw first == null ? new IOException("addresses: none (expected at least one)") : first;
  }
}
