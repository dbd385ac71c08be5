package dev.beckon.lab;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;

/**
 * A program that sends and prints datagrams, so that what a router does to them can be seen.
 *
 * <p>{@code serve ADDRESS PORT…}: a socket per address:port; a datagram {@code WORD MILLIS N} is
 * answered with WORD after MILLIS by the N-th socket. {@code step…}: a socket on port 5000 that
 * does {@code send:ADDRESS,PORT,TEXT}, {@code await:COUNT} and {@code listen:MILLIS}.
 */
@NullMarked
final class Probe {

  static final int INNER_PORT = 5000;

  /** Long enough for a machine that is busy with other things. */
  private static final int PATIENCE_MILLIS = 10_000;

  private Probe() {}

  public static void main(String[] args) throws IOException {
    if (args[0].equals("serve")) {
      serve(args);
    } else {
      try (DatagramSocket socket = new DatagramSocket(INNER_PORT)) {
        for (String step : args) {
          perform(socket, step);
        }
      }
    }
  }

  private static void perform(DatagramSocket socket, String step) throws IOException {
    String[] words = step.substring(step.indexOf(':') + 1).split(",");
    if (step.startsWith("send:")) {
      InetAddress to = InetAddress.getByName(words[0]);
      send(socket, words[2], new InetSocketAddress(to, Integer.parseInt(words[1])));
    } else if (step.startsWith("await:")) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      for (int i = 0; i < Integer.parseInt(words[0]); i++) {
        System.out.println(receive(socket).line());
      }
    } else {
      listen(socket, Long.parseLong(words[0]));
    }
  }

  private static void listen(DatagramSocket socket, long millis) throws IOException {
    long endNanos = System.nanoTime() + millis * 1_000_000;
    while (true) {
      long leftMillis = (endNanos - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        return;
      }
      socket.setSoTimeout((int) leftMillis);
      try {
        System.out.println(receive(socket).line());
      } catch (SocketTimeoutException silence) {
        return;
      }
    }
  }

  private static void serve(String[] args) throws IOException {
    List<DatagramSocket> sockets = new ArrayList<>();
    for (int i = 1; i < args.length; i += 2) {
      InetAddress address = InetAddress.getByName(args[i]);
      sockets.add(new DatagramSocket(Integer.parseInt(args[i + 1]), address));
    }
    ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
    for (DatagramSocket socket : sockets) {
      Thread.ofPlatform().start(() -> answerAll(socket, sockets, later));
    }
    System.out.println("serving");
  }

  private static void answerAll(
      DatagramSocket socket, List<DatagramSocket> sockets, ScheduledExecutorService later) {
    try {
      while (true) {
        Received received = receive(socket);
        System.out.println(received.line());
        String[] words = received.text().split(" ");
        if (words.length == 3) {
          DatagramSocket from = sockets.get(Integer.parseInt(words[2]));
          long delayMillis = Long.parseLong(words[1]);
          var _ =
              later.schedule(
                  () -> send(from, words[0], received.from()), delayMillis, TimeUnit.MILLISECONDS);
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static @org.jspecify.annotations.Nullable Void send(
      DatagramSocket socket, String text, InetSocketAddress to) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    socket.send(new DatagramPacket(bytes, bytes.length, to));
    return null;
  }

  private static Received receive(DatagramSocket socket) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[100], 100);
    socket.receive(packet);
    String text = new String(packet.getData(), 0, packet.getLength(), StandardCharsets.ISO_8859_1);
    return new Received(text, (InetSocketAddress) packet.getSocketAddress());
  }

  private record Received(String text, InetSocketAddress from) {

    String line() {
      String address = from.getAddress().getHostAddress();
      return "got %s from %s %d".formatted(text, address, from.getPort());
    }
  }
}
