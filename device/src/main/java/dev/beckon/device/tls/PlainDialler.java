package dev.beckon.device.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;

/** Plain TCP, for security {@code none}: believes whoever answers. */
public final class PlainDialler implements Dialler {

  @Override
  public void warmUp() {}

  @Override
  public Socket dial(String host, List<InetAddress> addresses, int port, TcpDialler.Opening opening)
      throws IOException {
    return TcpDialler.dial(addresses, port, opening, plain -> plain);
  }

  @Override
  public String hint() {
    return " (a server whose security is not none does so; expected the same on both sides)";
  }
}
