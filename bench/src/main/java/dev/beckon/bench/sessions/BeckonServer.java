package dev.beckon.bench.sessions;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** {@code beckon serve} on loopback, with any free ports. */
final class BeckonServer implements AutoCloseable {

  private static final int START_SECONDS = 60;

  private final Measured process;
  private final Map<String, String> ready;
  private final String token;

  private BeckonServer(Measured process, Map<String, String> ready, String token) {
    this.process = process;
    this.ready = ready;
    this.token = token;
  }

  /**
   * @param serve the command, such as {@code ./beckon serve}
   */
  static BeckonServer start(List<String> serve, Path data, Path output)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(serve);
    command.addAll(
        List.of("--data", data.toString(), "--udp", "127.0.0.1:0", "--tls", "127.0.0.1:0"));
    command.addAll(List.of("--http", "127.0.0.1:0", "--advertise", "127.0.0.1"));
    Measured process = Measured.start(command, output);
    for (int tenths = 0; tenths < 10 * START_SECONDS && process.isAlive(); tenths++) {
      for (String line : Files.readAllLines(output)) {
        if (line.startsWith("ready ")) {
          Map<String, String> ready = new TreeMap<>();
          for (String pair : line.substring("ready ".length()).split(" ")) {
            int equals = pair.indexOf('=');
            ready.put(pair.substring(0, equals), pair.substring(equals + 1));
          }
          String token = Files.readString(data.resolve("admin.token")).strip();
          return new BeckonServer(process, ready, token);
        }
      }
      Thread.sleep(100);
    }
    process.close();
    throw new IOException("server: not ready after " + START_SECONDS + " s (see " + output + ")");
  }

  Measured process() {
    return process;
  }

  InetSocketAddress udp() {
    return address("udp");
  }

  InetSocketAddress tls() {
    return address("tls");
  }

  InetSocketAddress http() {
    return address("http");
  }

  private InetSocketAddress address(String name) {
    String text = ready.getOrDefault(name, "").replace("http://", "");
    int colon = text.lastIndexOf(':');
    return new InetSocketAddress(
        text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }

  /** Of the API's administrator. */
  String token() {
    return token;
  }

  /** A figure of {@code /metrics}; the sum of all with that name. */
  double metric(String name) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http().getPort() + "/metrics"))
            .header("Authorization", "Bearer " + token)
            .build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(request, BodyHandlers.ofString())
          .body()
          .lines()
          .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    }
  }

  /** Bytes of its heap that are in use, garbage not counted. */
  long liveHeapBytes() throws IOException, InterruptedException {
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    String histogram = Measured.ask("", jcmd, String.valueOf(process.pid()), "GC.class_histogram");
    String total =
        histogram.lines().filter(line -> line.startsWith("Total")).findFirst().orElse("");
    String[] fields = total.split(" +");
    if (fields.length < 3) {
      throw new IOException("jcmd: no total in its histogram");
    }
    return Long.parseLong(fields[2]);
  }

  @Override
  public void close() {
    process.close();
  }
}
