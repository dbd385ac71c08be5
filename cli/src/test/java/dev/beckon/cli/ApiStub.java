package dev.beckon.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Answers requests from a script, so that a test can look at the client alone. The last answer for
 * a request is given again when the script has run out.
 */
final class ApiStub implements AutoCloseable {

  /** A request as it arrived. */
  record Request(String call, Map<String, List<String>> headers, String body) {

    String header(String name) {
      return String.join(",", headers.getOrDefault(name, List.of()));
    }
  }

  private record Answer(int status, String type, String body) {}

  private final HttpServer server;
  private final Map<String, Deque<Answer>> script = new HashMap<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();

  ApiStub() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Scripts an answer; {@code call} is method, path and query, such as {@code GET /v1/devices}. */
  ApiStub answers(String call, String json) {
    return answers(call, 200, "application/json", json);
  }

  ApiStub refuses(String call, int status, String code, String detail) {
    return answers(
        call,
        status,
        "application/problem+json",
        "{\"type\":\"about:blank\",\"status\":%d,\"code\":\"%s\",\"detail\":\"%s\"}"
            .formatted(status, code, detail));
  }

  ApiStub answers(String call, int status, String type, String body) {
    script.computeIfAbsent(call, key -> new ArrayDeque<>()).add(new Answer(status, type, body));
    return this;
  }

  /** Breaks the connection instead of answering, once. */
  ApiStub hangsUpOn(String call) {
    return answers(call, 0, "", "");
  }

  List<Request> requests() {
    return List.copyOf(requests);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String call = exchange.getRequestMethod() + " " + exchange.getRequestURI();
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      requests.add(new Request(call, Map.copyOf(exchange.getRequestHeaders()), body));
      Deque<Answer> answers = script.getOrDefault(call, new ArrayDeque<>());
      Answer answer = answers.size() > 1 ? answers.poll() : answers.peek();
      if (answer == null) {
        answer = new Answer(500, "text/plain", "not in the script: " + call);
      }
      if (answer.status == 0) {
        throw new IOException("scripted");
      }
      byte[] bytes = answer.body.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("Content-Type", answer.type);
      exchange.sendResponseHeaders(answer.status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
