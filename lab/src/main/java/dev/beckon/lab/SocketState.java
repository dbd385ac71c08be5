package dev.beckon.lab;

/**
 * A socket as the kernel lists it.
 *
 * @param protocol {@code tcp} or {@code udp}
 * @param state such as {@code LISTEN}, {@code ESTAB}, {@code UNCONN}
 * @param local address:port here
 * @param peer address:port there, {@code *} parts where there is none
 */
public record SocketState(String protocol, String state, String local, String peer) {

  static SocketState parse(String line) {
    String[] columns = line.trim().split("\\s+");
    if (columns.length < 6) {
      throw new LabException("ss: " + line + " (expected six columns)");
    }
    return new SocketState(columns[0], columns[1], plain(columns[4]), plain(columns[5]));
  }

  /** An IPv4 address as such, also where the socket is an IPv6 one. */
  private static String plain(String address) {
    return address.replaceFirst("^\\[::ffff:([0-9.]+)]", "$1");
  }

  /** Whether strangers can connect to it. */
  public boolean listens() {
    return state.equals("LISTEN");
  }

  /** Whether it is a TCP connection, in whatever state. */
  public boolean connection() {
    return protocol.equals("tcp") && !listens();
  }
}
