package dev.beckon.server.udp;

/** How datagrams are exchanged with the kernel. */
public enum UdpTransport {
  /** Many at a time, by Linux's recvmmsg and sendmmsg. */
  BATCHED,
  /** One at a time, by the JDK's channels: everywhere. */
  CHANNEL;

  /** The quickest one that this system has. */
  public static UdpTransport best() {
    return LinuxSockets.available() ? BATCHED : CHANNEL;
  }
}
