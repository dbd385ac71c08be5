package dev.beckon.agent.action;

import dev.beckon.device.Result;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A machine that a magic packet switches on.
 *
 * @param mac six bytes
 * @param broadcast where to send it; null for the broadcast address of every network that the agent
 *     is in
 * @param port of UDP; 9 (discard) as a rule
 */
public record WakeOnLan(String mac, @Nullable InetAddress broadcast, int port) {
  static final Pattern MAC = Pattern.compile("[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}");

  private static final int REPETITIONS = 16;

  /** Six times FF, then the address 16 times. */
  byte[] magicPacket() {
    byte[] address = HexFormat.of().parseHex(mac.replaceAll("[:-]", ""));
    byte[] packet = new byte[address.length * (1 + REPETITIONS)];
    for (int i = 0; i < packet.length; i++) {
      packet[i] = i < address.length ? (byte) 0xFF : address[i % address.length];
    }
    return packet;
  }

  /**
   * Sends the packet; nothing tells whether it arrives.
   *
   * @throws FailedException if it could be sent nowhere
   */
  Result send() throws FailedException {
    byte[] packet = magicPacket();
    StringJoiner sentTo = new StringJoiner(" ");
    IOException problem = null;
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setBroadcast(true);
      for (InetAddress address : addresses()) {
        try {
          socket.send(new DatagramPacket(packet, packet.length, address, port));
          sentTo.add(address.getHostAddress() + ":" + port);
        } catch (IOException e) {
          problem = e;
        }
      }
    } catch (IOException e) {
      problem = e;
    }
    if (sentTo.length() == 0) {
      throw new FailedException(
          Failure.UNREACHABLE,
          "wake: "
              + mac
              + " (expected a network with a broadcast address; see broadcast in agent.yaml)"
              + (problem == null ? "" : ": " + problem.getMessage()));
    }
    return Result.of("mac", mac).with("sent-to", sentTo);
  }

  private List<InetAddress> addresses() throws IOException {
    if (broadcast != null) {
      return List.of(broadcast);
    }
    List<InetAddress> addresses = new ArrayList<>();
    for (NetworkInterface network : NetworkInterface.networkInterfaces().toList()) {
      if (network.isUp() && !network.isLoopback()) {
        network.getInterfaceAddresses().stream()
            .map(InterfaceAddress::getBroadcast)
            .filter(Objects::nonNull)
            .forEach(addresses::add);
      }
    }
    return addresses;
  }
}
