package dev.beckon.e2e;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.NullMarked;

/**
 * A name server (RFC 1035) with a program of its own: answers for the names in a zone file, lines
 * of {@code NAME ADDRESS}, which it reads at each question. What it does not know does not exist.
 */
@NullMarked
final class SmallDns {
  private static final int HEADER_BYTES = 12;
  private static final int TYPE_A = 1;
  private static final int TYPE_AAAA = 28;
  private static final int NAME_ERROR = 3;

  private SmallDns() {}

  /** Arguments: address to answer at (port 53), zone file. Prints {@code ready}, then questions. */
  public static void main(String[] args) throws IOException {
    Path zone = Path.of(args[1]);
    try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(args[0], 53))) {
      System.out.println("ready");
      while (true) {
        DatagramPacket packet = new DatagramPacket(new byte[512], 512);
        socket.receive(packet);
        byte[] answer = answer(Arrays.copyOf(packet.getData(), packet.getLength()), zone);
        socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
      }
    }
  }

  private static byte[] answer(byte[] query, Path zone) throws IOException {
    int at = HEADER_BYTES;
    List<String> labels = new ArrayList<>();
    while (query[at] != 0) {
      labels.add(new String(query, at + 1, query[at], StandardCharsets.US_ASCII));
      at += 1 + query[at];
    }
    String name = String.join(".", labels);
    int type = query[at + 1] << 8 | query[at + 2];
    int questionEnd = at + 5;
    System.out.println("question " + name + " " + type);
    List<byte[]> found = new ArrayList<>();
    boolean known = false;
    for (String line : Files.readAllLines(zone)) {
      String[] words = line.split(" ");
      if (words[0].equalsIgnoreCase(name)) {
        known = true;
        byte[] address = InetAddress.getByName(words[1]).getAddress();
        if (type == (address.length == 4 ? TYPE_A : TYPE_AAAA)) {
          found.add(address);
        }
      }
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(query, 0, 2); // ID
    out.writeShort(0x8580 | (known ? 0 : NAME_ERROR)); // authoritative answer
    out.writeShort(1);
    out.writeShort(found.size());
    out.writeInt(0);
    out.write(query, HEADER_BYTES, questionEnd - HEADER_BYTES);
    for (byte[] address : found) {
      out.writeShort(0xC00C); // the name of the question
      out.writeShort(type);
      out.writeShort(1);
      out.writeInt(3_600); // long: who followed it would not notice a change
      out.writeShort(address.length);
      out.write(address);
    }
    return bytes.toByteArray();
  }
}
