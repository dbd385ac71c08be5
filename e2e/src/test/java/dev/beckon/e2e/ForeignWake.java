package dev.beckon.e2e;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import java.io.IOException;
import java.io.Reader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Properties;
import org.jspecify.annotations.NullMarked;

/** A program that sends a device an authentic wake from another socket than the server's. */
@NullMarked
final class ForeignWake {

  private ForeignWake() {}

  /**
   * Sends it three times.
   *
   * @param args the device's data folder, its mapped address:port, source address, source port
   */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    byte[] wake = wake(folder);
    int colon = args[1].lastIndexOf(':');
    InetSocketAddress mapped =
        new InetSocketAddress(
            InetAddress.getByName(args[1].substring(0, colon)),
            Integer.parseInt(args[1].substring(colon + 1)));
    try (DatagramSocket socket =
        new DatagramSocket(Integer.parseInt(args[3]), InetAddress.getByName(args[2]))) {
      for (int i = 0; i < 3; i++) {
        socket.send(new DatagramPacket(wake, wake.length, mapped));
      }
    }
  }

  private static byte[] wake(Path folder) throws IOException {
    Properties identity = new Properties();
    try (Reader reader = Files.newBufferedReader(folder.resolve("identity.properties"))) {
      identity.load(reader);
    }
    Wake wake =
        new Wake(
            new byte[12],
            new DeviceId(identity.getProperty("device-id")),
            Integer.parseInt(identity.getProperty("key-id")),
            Integer.parseInt(identity.getProperty("generation")),
            4711,
            System.currentTimeMillis() + 60_000,
            Wake.RENDEZVOUS_SERVER,
            0,
            System.currentTimeMillis());
    return wake.encode(HexFormat.of().parseHex(identity.getProperty("device-key")));
  }
}
