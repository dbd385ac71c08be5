package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Passes bodies on to real sockets. */
class RelayActionTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  @TempDir private Path folder;
  private HttpServer http;
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<String> progress = new CopyOnWriteArrayList<>();

  @BeforeEach
  void start() throws IOException {
    http = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
    http.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          String key = exchange.getRequestHeaders().getFirst("X-Key");
          requests.add(
              exchange.getRequestMethod()
                  + " "
                  + exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Content-Type")
                  + " "
                  + key
                  + " "
                  + body);
          String path = exchange.getRequestURI().getPath();
          if (path.startsWith("/to/")) {
            exchange.getResponseHeaders().set("Location", path.substring(4));
            exchange.sendResponseHeaders(307, -1);
          } else if (path.startsWith("/status/")) {
            byte[] answer = "no such lamp".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(path.substring(8)), answer.length);
            exchange.getResponseBody().write(answer);
          } else if (path.startsWith("/long")) {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(new byte[100_000]);
          } else if (!path.startsWith("/hang")) {
            byte[] answer = ("got " + body).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
          }
          if (!path.startsWith("/hang")) {
            exchange.close();
          }
        });
    http.start();
  }

  @AfterEach
  void stop() {
    http.stop(0);
  }

  @Test
  void passesABodyOnOverTcpAndReturnsTheAnswer() throws Exception {
    byte[] body = new byte[700_000];
    Arrays.fill(body, (byte) 'x');
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      CompletableFuture<Integer> received =
          accepting(
              server,
              socket -> {
                int bytes = socket.getInputStream().readAllBytes().length;
                socket.getOutputStream().write("thanks\n".getBytes(StandardCharsets.UTF_8));
                return bytes;
              });

      Result result = run(tcp(server, ""), Map.of(), body);

      assertThat(received.get(10, TimeUnit.SECONDS)).isEqualTo(700_000);
      assertThat(result.failure()).isNull();
      assertThat(result.values())
          .containsEntry("sent-bytes", "700000")
          .containsEntry("answer", "thanks\n");
      assertThat(result.body()).asString(StandardCharsets.UTF_8).isEqualTo("thanks\n");
      assertThat(progress).contains("sent 262144 bytes");
    }
  }

  @Test
  void aTextCanGoInsteadOfABody() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      CompletableFuture<String> received =
          accepting(
              server,
              socket -> new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));

      Result result = run(tcp(server, ", answer: false"), Map.of("text", "on ✓"), null);

      assertThat(result.failure()).isNull();
      assertThat(received.get(10, TimeUnit.SECONDS)).isEqualTo("on ✓");
    }
  }

  @Test
  void silenceCanEndAnAnswer() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      CompletableFuture<Integer> other =
          accepting(
              server,
              socket -> {
                InputStream in = socket.getInputStream();
                assertThat(in.read()).isEqualTo('?');
                socket.getOutputStream().write("21.5".getBytes(StandardCharsets.UTF_8));
                return in.read(); // does not close, until the other end does
              });

      Result result = run(tcp(server, ", quiet: 200ms"), Map.of("text", "?"), null);

      assertThat(result.values()).containsEntry("answer", "21.5");
      assertThat(other.get(10, TimeUnit.SECONDS)).isEqualTo(-1);
    }
  }

  @Test
  void anEndThatNeverAnswersIsATypedFailureWithWhatCame() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      CompletableFuture<Integer> other =
          accepting(
              server,
              socket -> {
                InputStream in = socket.getInputStream();
                socket.getOutputStream().write("half".getBytes(StandardCharsets.UTF_8));
                in.readAllBytes();
                while (true) { // until the other end has gone
                  socket.getOutputStream().write(0);
                  socket.getOutputStream().flush();
                }
              });

      Result result =
          run(tcp(server, ", time-limit: 500ms, max-answer: 8MiB"), Map.of("text", "?"), null);

      assertThat(result.values()).containsEntry("failure", "timed-out");
      assertThat(new String(result.body(), StandardCharsets.UTF_8)).startsWith("half");
      assertThat(other.handle((ok, e) -> "ended").get(10, TimeUnit.SECONDS)).isEqualTo("ended");
    }
  }

  @Test
  void anEndThatTakesNothingIsATypedFailure() throws Exception {
    byte[] body = new byte[16 << 20];
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      Result result =
          run(
              tcp(server, ", time-limit: 500ms, max-body: 16MiB"),
              Map.of(),
              body); // never accepted

      assertThat(result.values()).containsEntry("failure", "timed-out");
      assertThat(Integer.parseInt(result.values().get("sent-bytes"))).isLessThan(body.length);
    }
  }

  @Test
  void anAnswerThatIsTooLongIsATypedFailureWithItsBeginning() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      CompletableFuture<Integer> other =
          accepting(
              server,
              socket -> {
                socket.getOutputStream().write("0123456789".getBytes(StandardCharsets.UTF_8));
                return 0;
              });

      Result result = run(tcp(server, ", max-answer: 4B"), Map.of("text", "?"), null);

      assertThat(result.values()).containsEntry("failure", "answer-too-large");
      assertThat(result.body()).asString(StandardCharsets.UTF_8).isEqualTo("0123");
      other.handle((ok, e) -> ok).get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void passesADatagramOnAndReturnsTheAnswer() throws Exception {
    try (DatagramSocket device = new DatagramSocket(0, LOOPBACK)) {
      CompletableFuture<Void> answering =
          CompletableFuture.runAsync(
              () -> {
                try {
                  DatagramPacket packet = new DatagramPacket(new byte[100], 100);
                  device.receive(packet);
                  packet.setData("pong".getBytes(StandardCharsets.UTF_8));
                  device.send(packet);
                } catch (IOException e) {
                  throw new CompletionException(e);
                }
              });

      Result result = run(udp(device, ""), Map.of("text", "ping"), null);

      answering.get(10, TimeUnit.SECONDS);
      assertThat(result.values()).containsEntry("sent-bytes", "4").containsEntry("answer", "pong");
    }
  }

  @Test
  void aDatagramNeedsNoAnswer() throws Exception {
    try (DatagramSocket device = new DatagramSocket(0, LOOPBACK)) {
      Result result = run(udp(device, ", answer: false"), Map.of("text", "on"), null);

      DatagramPacket packet = new DatagramPacket(new byte[100], 100);
      device.receive(packet);
      assertThat(packet.getLength()).isEqualTo(2);
      assertThat(result.failure()).isNull();
    }
  }

  @Test
  void aDatagramWithoutAnAnswerIsATypedFailure() throws Exception {
    try (DatagramSocket device = new DatagramSocket(0, LOOPBACK)) {
      assertThat(run(udp(device, ", time-limit: 200ms"), Map.of("text", "?"), null).values())
          .containsEntry("failure", "timed-out");
    }
  }

  @Test
  void passesABodyOnOverHttp() throws Exception {
    Result result =
        run(
            "{to: '" + url("/api") + "', method: PUT, headers: {X-Key: secret}}",
            Map.of("type", "application/json"),
            "{\"on\":true}".getBytes(StandardCharsets.UTF_8));

    assertThat(requests).containsExactly("PUT /api application/json secret {\"on\":true}");
    assertThat(result.values())
        .containsEntry("status", "200")
        .containsEntry("content-type", "text/plain")
        .containsEntry("answer", "got {\"on\":true}");
  }

  @Test
  void aStatusThatMeansNoIsATypedFailureWithTheAnswer() throws Exception {
    Result result = run("{to: '" + url("/status/404") + "'}", Map.of("text", "x"), null);

    assertThat(result.values())
        .containsEntry("failure", "http-status")
        .containsEntry("status", "404")
        .containsEntry("answer", "no such lamp");
  }

  @Test
  void followsARedirectToATargetOnTheList() throws Exception {
    Result result = run("{to: '" + url("/to//there") + "'}", Map.of("text", "x"), null);

    assertThat(result.values()).containsEntry("status", "200").containsEntry("answer", "got x");
    assertThat(requests).last().asString().startsWith("POST /there ");
  }

  @Test
  void followsNoRedirectOffTheList() throws Exception {
    HttpServer other = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
    List<String> strayed = new CopyOnWriteArrayList<>();
    other.createContext("/", exchange -> strayed.add(exchange.getRequestURI().toString()));
    other.start();
    try {
      String off = "http://127.0.0.1:" + other.getAddress().getPort() + "/x";
      Result result = run("{to: '" + url("/to/" + off) + "'}", Map.of("text", "x"), null);

      assertThat(result.values())
          .containsEntry("failure", "target-not-allowed")
          .containsEntry("status", "307");
      assertThat(result.failure()).startsWith("redirect: " + off + " (expected a target");
      assertThat(strayed).isEmpty();
    } finally {
      other.stop(0);
    }
  }

  @Test
  void aServerThatHangsOrTalksTooMuchIsATypedFailure() throws Exception {
    assertThat(
            run("{to: '" + url("/hang") + "', time-limit: 500ms}", Map.of("text", "x"), null)
                .values())
        .containsEntry("failure", "timed-out");
    Result tooLong =
        run("{to: '" + url("/long") + "', max-answer: 1KiB}", Map.of("text", "x"), null);
    assertThat(tooLong.values()).containsEntry("failure", "answer-too-large");
    assertThat(tooLong.body()).hasSize(1024);
  }

  @ParameterizedTest
  @CsvSource({
    "tcp://127.0.0.1:1",
    "udp://127.0.0.1:1",
    "http://127.0.0.1:1/",
    "tcp://no-such-host.invalid:80",
    "http://no-such-host.invalid/"
  })
  void aTargetThatIsNotThereIsATypedFailure(String target) throws Exception {
    Result result = run("{to: '" + target + "'}", Map.of("text", "x"), null);

    assertThat(result.values()).containsEntry("failure", "unreachable");
    assertThat(result.failure()).startsWith("target: ").contains("(expected it to answer)");
  }

  @Test
  void aBodyThatIsTooLongOrMissingIsATypedFailure() throws Exception {
    String target = "{to: 'tcp://127.0.0.1:1', max-body: 3B}";

    assertThat(run(target, Map.of(), new byte[4]).values())
        .containsEntry("failure", "body-too-large");
    assertThat(run(target, Map.of("text", "four"), null).failure())
        .isEqualTo("body: 4 bytes (expected at most 3)");
    assertThat(run(target, Map.of(), null).values()).containsEntry("failure", "body-missing");
    assertThat(run(target, Map.of("text", "x"), new byte[1]).values())
        .containsEntry("failure", "body-missing");
  }

  @Test
  void aTargetOffTheListIsRefused() throws Exception {
    RelayAction action = action("{to: 'tcp://127.0.0.1:1'}");

    assertThat(action.action().refusal(Map.of("target", "tcp://evil:1"), true))
        .isEqualTo("target: tcp://evil:1 (expected one of t)");
    assertThat(
            FailedException.caught(action)
                .run(Command.of("relay", Map.of("target", "x"), (percent, text) -> {}))
                .values())
        .containsEntry("failure", "target-not-allowed");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {}                                            | to: missing (expected tcp://host:port, udp://host:port or an http URL)
          {to: 'tcp://host'}                            | to: tcp://host (expected tcp://host:port
          {to: 'tcp://host:99999'}                      | to: tcp://host:99999 (expected
          {to: 'ftp://host/x'}                          | to: ftp://host/x (expected
          {to: 'tcp://host:1/x'}                        | to: tcp://host:1/x (expected
          {to: 'tcp://host:1', method: PUT}             | method: for tcp (expected only for the other protocols)
          {to: 'http://host', quiet: 1s}                | quiet: for http (expected only for the other protocols)
          {to: 'udp://host:1', quiet: 1s}               | quiet: for udp (expected only for tcp)
          {to: 'udp://host:1', max-body: 64KiB}         | max-body: 64KiB (expected at most 65507B)
          {to: 'http://host', method: FETCH}            | method: FETCH (expected one of GET, POST
          {to: 'http://host', headers: {Host: x}}       | Host: no header that can be set
          {to: 'http://host', max-body: 5}              | max-body: 5 (expected a number with B, KiB or MiB
          {to: 'http://host', time-limit: 0s}           | time-limit: none (expected a number with ms
          {to: 'http://host', max-bodi: 5B}             | max-bodi: unknown key (expected max-body?)
          """)
  void saysWhatIsWrongInTheConfiguration(String target, String message) {
    assertThatThrownBy(() -> action(target))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("agent.yaml:1: ")
        .hasMessageContaining(message);
  }

  /** What the other end does with a connection. */
  private interface OtherEnd<T> {
    T serve(Socket socket) throws IOException;
  }

  private static <T> CompletableFuture<T> accepting(ServerSocket server, OtherEnd<T> end) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (Socket socket = server.accept()) {
            return end.serve(socket);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        });
  }

  private String url(String path) {
    return "http://127.0.0.1:" + http.getAddress().getPort() + path;
  }

  private static String tcp(ServerSocket server, String more) {
    return "{to: 'tcp://127.0.0.1:" + server.getLocalPort() + "'" + more + "}";
  }

  private static String udp(DatagramSocket device, String more) {
    return "{to: 'udp://127.0.0.1:" + device.getLocalPort() + "'" + more + "}";
  }

  private static RelayAction action(String target) throws ConfigException {
    return new RelayAction(Actions.read("relay: {t: " + target + "}").relay());
  }

  private Result run(String target, Map<String, String> arguments, byte @Nullable [] body)
      throws Exception {
    Map<String, String> all = new TreeMap<>(arguments);
    all.put("target", "t");
    Command.Progress onProgress = (percent, text) -> progress.add(text);
    Command command =
        body == null
            ? Command.of("relay", all, onProgress)
            : Command.of("relay", all, Files.write(folder.resolve("body"), body), onProgress);
    return FailedException.caught(action(target)).run(command);
  }
}
