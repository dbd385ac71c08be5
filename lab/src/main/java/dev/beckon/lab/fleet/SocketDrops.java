package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.AddressBits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * How many datagrams the kernel has dropped because the server did not fetch them: it counts them
 * for every UDP socket. So what a server took is known also where it answers nothing, and whatever
 * the server is. Works for a server on this machine (in this network namespace).
 */
final class SocketDrops {
  private static final Path IPV4 = Path.of("/proc/net/udp");
  private static final Path IPV6 = Path.of("/proc/net/udp6");

  private final boolean ipv4;
  private final String local;
  private final String anywhere;

  SocketDrops(InetSocketAddress server) {
    InetAddress address = server.getAddress();
    ipv4 = address.getAddress().length == 4;
    String port = ":%04X".formatted(server.getPort());
    local = hexadecimal(address) + port;
    anywhere = "0".repeat(ipv4 ? 8 : 32) + port;
  }

  /** As the kernel prints it: 32-bit words in its own byte order, which is little-endian. */
  private static String hexadecimal(InetAddress address) {
    long low = AddressBits.low(address);
    if (address.getAddress().length == 4) {
      return word((int) low);
    }
    long high = AddressBits.high(address);
    return word((int) (high >>> 32))
        + word((int) high)
        + word((int) (low >>> 32))
        + word((int) low);
  }

  private static String word(int value) {
    return String.format(Locale.ROOT, "%08X", Integer.reverseBytes(value));
  }

  /** Dropped so far by all sockets of the server's address; empty if there is none here. */
  OptionalLong count() {
    try {
      return count(Files.readAllLines(ipv4 ? IPV4 : IPV6));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As {@link #count()}, from the kernel's lines: local address second, drops last. */
  OptionalLong count(List<String> lines) {
    long drops = 0;
    boolean found = false;
    for (String line : lines) {
      String[] words = line.strip().split("\\s+");
      if (words.length > 2 && (words[1].equals(local) || words[1].equals(anywhere))) {
        found = true;
        drops += Long.parseLong(words[words.length - 1]);
      }
    }
    return found ? OptionalLong.of(drops) : OptionalLong.empty();
  }
}
