package dev.beckon.bench.sessions;

import dev.beckon.lab.fleet.FleetIds;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Posts commands as fast as the API takes them, on connections that stay open. Sockets and a dozen
 * lines of HTTP: the JDK's client would be the limit.
 */
final class ApiLoad {

  private static final int CONNECTIONS = 64;

  private final BeckonServer server;

  ApiLoad(BeckonServer server) {
    this.server = server;
  }

  /** Posts one command for each device from {@code from} to {@code to - 1}. */
  void postForEach(int from, int to) throws IOException, InterruptedException {
    AtomicInteger next = new AtomicInteger(from);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var posting =
          IntStream.range(0, CONNECTIONS)
              .<Future<?>>mapToObj(
                  n ->
                      threads.submit(
                          () -> {
                            post(next, to);
                            return null;
                          }))
              .toList();
      for (Future<?> each : posting) {
        each.get();
      }
    } catch (ExecutionException failed) {
      throw new IOException("commands were not accepted", failed.getCause());
    }
  }

  private void post(AtomicInteger next, int to) throws IOException {
    try (Socket socket = new Socket(server.http().getAddress(), server.http().getPort())) {
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (int device = next.getAndIncrement(); device < to; device = next.getAndIncrement()) {
        out.write(request(device));
        requireCreated(in);
      }
    }
  }

  private byte[] request(int device) {
    String body = "{\"action\":\"echo\",\"args\":{\"text\":\"hello\"},\"deadline\":\"1h\"}";
    return ("POST /v1/devices/"
            + FleetIds.of(device)
            + "/commands HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + server.token()
            + "\r\nContent-Type: application/json\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n"
            + body)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static void requireCreated(InputStream in) throws IOException {
    String status = line(in);
    int length = -1;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      String lower = header.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring("content-length:".length()).strip());
      }
    }
    String body = length < 0 ? "" : new String(in.readNBytes(length), StandardCharsets.UTF_8);
    if (length < 0 || !(status.contains(" 201 ") || status.contains(" 202 "))) {
      throw new IOException("API: " + status + " " + body + " (expected 201 with its length)");
    }
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new IOException("API: ended the connection");
      }
      if (b != '\r') {
        line.append((char) b);
      }
    }
    return line.toString();
  }
}
