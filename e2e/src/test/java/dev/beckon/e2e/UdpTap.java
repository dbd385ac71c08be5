package dev.beckon.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Stands between one device and a server on UDP, passes everything on, and keeps it for a packet
 * analyser. So a capture needs no privileges.
 */
final class UdpTap implements AutoCloseable {
  private static final int MAGIC_MICROSECONDS = 0xA1B2C3D4;
  private static final int LINK_TYPE_RAW_IP = 101;
  private static final int STUN_PORT = 3478;
  private static final int DEVICE_PORT = 40_001;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Seen(boolean fromDevice, byte[] bytes) {}

  private final DatagramChannel toDevice;
  private final DatagramChannel toServer;
  private final SocketAddress server;
  private final List<Seen> seen = new ArrayList<>();
  private volatile SocketAddress device = new InetSocketAddress(0);

  private UdpTap(DatagramChannel toDevice, DatagramChannel toServer, SocketAddress server) {
    this.toDevice = toDevice;
    this.toServer = toServer;
    this.server = server;
  }

  static UdpTap before(InetSocketAddress server) throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    UdpTap tap =
        new UdpTap(DatagramChannel.open().bind(any), DatagramChannel.open().bind(any), server);
    Thread.ofPlatform().daemon().start(() -> tap.pass(tap.toDevice, true));
    Thread.ofPlatform().daemon().start(() -> tap.pass(tap.toServer, false));
    return tap;
  }

  /** Where the device shall send to. */
  InetSocketAddress address() throws IOException {
    return (InetSocketAddress) toDevice.getLocalAddress();
  }

  private void pass(DatagramChannel from, boolean fromDevice) {
    ByteBuffer buffer = ByteBuffer.allocate(2048);
    try {
      while (true) {
        SocketAddress sender = from.receive(buffer.clear());
        buffer.flip();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes).flip();
        synchronized (seen) {
          seen.add(new Seen(fromDevice, bytes));
        }
        if (fromDevice) {
          device = sender;
          toServer.send(buffer, server);
        } else {
          toDevice.send(buffer, device);
        }
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  /** Writes what passed as a capture of raw IPv4 packets, the server on STUN's port. */
  void writeCapture(Path file) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        ByteBuffer.allocate(24)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(MAGIC_MICROSECONDS)
            .putShort((short) 2)
            .putShort((short) 4)
            .putInt(0)
            .putInt(0)
            .putInt(0xFFFF)
            .putInt(LINK_TYPE_RAW_IP)
            .array());
    synchronized (seen) {
      for (int i = 0; i < seen.size(); i++) {
        byte[] packet = packet(seen.get(i));
        out.writeBytes(
            ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(i)
                .putInt(0)
                .putInt(packet.length)
                .putInt(packet.length)
                .array());
        out.writeBytes(packet);
      }
    }
    Files.write(file, out.toByteArray());
  }

  /** IPv4 and UDP headers without checksums, then the datagram. */
  private static byte[] packet(Seen datagram) {
    int udpLength = 8 + datagram.bytes.length;
    byte[] deviceAddress = {(byte) 203, 0, 113, 7};
    byte[] serverAddress = {(byte) 192, 0, 2, 1};
    return ByteBuffer.allocate(20 + udpLength)
        .putShort((short) 0x4500)
        .putShort((short) (20 + udpLength))
        .putInt(0)
        .putShort((short) 0x4011) // TTL 64, UDP
        .putShort((short) 0)
        .put(datagram.fromDevice ? deviceAddress : serverAddress)
        .put(datagram.fromDevice ? serverAddress : deviceAddress)
        .putShort((short) (datagram.fromDevice ? DEVICE_PORT : STUN_PORT))
        .putShort((short) (datagram.fromDevice ? STUN_PORT : DEVICE_PORT))
        .putShort((short) udpLength)
        .putShort((short) 0)
        .put(datagram.bytes)
        .array();
  }

  @Override
  public void close() throws IOException {
    toDevice.close();
    toServer.close();
  }
}
