package dev.beckon.e2e;

import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import java.io.IOException;
import java.io.Reader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Properties;
import org.jspecify.annotations.NullMarked;

/**
 * A program that makes itself known to the server once, proves its address at once, and is silent
 * from then on: a device that does not follow its first keepalive with another after 3 s.
 */
@NullMarked
final class BareDevice {

  private static final int MAX_DATAGRAM_BYTES = 1500;

  private BareDevice() {}

  /**
   * Runs until it is killed.
   *
   * @param args the device's data folder
   */
  public static void main(String[] args) throws Exception {
    Properties identity = new Properties();
    try (Reader reader = Files.newBufferedReader(Path.of(args[0], "identity.properties"))) {
      identity.load(reader);
    }
    byte[] key = HexFormat.of().parseHex(identity.getProperty("device-key"));
    String server = identity.getProperty("udp-address");
    int colon = server.lastIndexOf(':');
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(
          new InetSocketAddress(
              server.substring(0, colon), Integer.parseInt(server.substring(colon + 1))));
      send(socket, keepalive(identity, 1, 0).encode(key));
      KeepaliveAnswer first = (KeepaliveAnswer) receive(socket);
      send(socket, keepalive(identity, 2, first.pathToken()).encode(key));
      KeepaliveAnswer second = (KeepaliveAnswer) receive(socket);
      System.out.println("known unproven=" + second.unproven());
      while (true) {
        System.out.println("received " + receive(socket).getClass().getSimpleName());
      }
    }
  }

  private static Keepalive keepalive(Properties identity, int count, long pathToken) {
    return new Keepalive(
        new byte[] {(byte) count, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        new DeviceId(identity.getProperty("device-id")),
        Integer.parseInt(identity.getProperty("key-id")),
        Interval.of(Duration.ofSeconds(100)),
        Integer.parseInt(identity.getProperty("generation")),
        System.currentTimeMillis() + count,
        pathToken,
        false);
  }

  private static void send(DatagramSocket socket, byte[] bytes) throws IOException {
    socket.send(new DatagramPacket(bytes, bytes.length));
  }

  private static Datagram receive(DatagramSocket socket) throws Exception {
    DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM_BYTES], MAX_DATAGRAM_BYTES);
    socket.receive(packet);
    return Datagram.decode(packet.getData(), packet.getLength());
  }
}
