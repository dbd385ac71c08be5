package dev.beckon.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A server's HTTP API. Whatever keeps an answer from coming ends the command with a message for
 * people: the server cannot be reached, or it refused.
 */
final class Api {

  static final ObjectMapper JSON = new ObjectMapper();

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Longer than any answer takes; a server that hangs must not hang its callers. */
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

  private static final String START_HINT =
      "start one with 'beckon serve', or name it with --server URL or BECKON_SERVER";

  private final URI server;
  private final Optional<String> token;
  private final String tokenHint;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  Api(URI server, Optional<String> token, String tokenHint) {
    this.server = server;
    this.token = token;
    this.tokenHint = tokenHint;
  }

  /** One segment of a path or one value of a query, escaped. */
  static String escape(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  JsonNode get(String path) {
    return json(send(request(path).GET()));
  }

  byte[] bytes(String path) {
    return send(request(path).GET()).body();
  }

  /** An answer that goes on for as long as the server likes; close it. */
  InputStream stream(String path) throws IOException {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + path));
    token.ifPresent(value -> request.header("Authorization", "Bearer " + value));
    HttpResponse<InputStream> response;
    try {
      response = client.send(request.build(), BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw FailureException.failed("interrupted", null);
    } catch (IOException e) {
      throw FailureException.notReachable("server: " + server + " (" + reason(e) + ")", START_HINT);
    }
    if (response.statusCode() >= 400) {
      try (InputStream body = response.body()) {
        throw refusal(response.statusCode(), body.readAllBytes());
      }
    }
    return response.body();
  }

  JsonNode delete(String path) {
    return json(send(request(path).DELETE()));
  }

  JsonNode post(String path, JsonNode body) {
    return json(
        send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body.toString()))));
  }

  JsonNode put(String path, JsonNode body) {
    return json(
        send(
            request(path)
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofString(body.toString()))));
  }

  /**
   * Posts under an idempotency key: the server does the work once, however often it is asked, so a
   * broken connection is simply tried again.
   */
  JsonNode postOnce(
      String path, String idempotencyKey, String contentType, HttpRequest.BodyPublisher body) {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", contentType)
            .header("Idempotency-Key", idempotencyKey)
            .POST(body);
    try {
      return json(exchange(request.build()));
    } catch (IOException broken) {
      return json(send(request));
    }
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server + path))
            .timeout(ANSWER_TIMEOUT)
            .header("Accept", "application/json");
    token.ifPresent(value -> request.header("Authorization", "Bearer " + value));
    return request;
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request) {
    try {
      return exchange(request.build());
    } catch (IOException e) {
      throw FailureException.notReachable("server: " + server + " (" + reason(e) + ")", START_HINT);
    }
  }

  private HttpResponse<byte[]> exchange(HttpRequest request) throws IOException {
    try {
      HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
      if (response.statusCode() >= 400) {
        throw refusal(response.statusCode(), response.body());
      }
      return response;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw FailureException.failed("interrupted", null);
    }
  }

  private static String reason(IOException e) {
    if (e instanceof ConnectException) {
      boolean unknownHost =
          e.getCause() instanceof UnresolvedAddressException
              || (e.getCause() != null
                  && e.getCause().getCause() instanceof UnresolvedAddressException);
      return unknownHost ? "no such host" : "nothing answers there";
    }
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private FailureException refusal(int status, byte[] body) {
    JsonNode problem = parse(body);
    if (status == 401) {
      return FailureException.failed(
          token.isPresent() ? "token: the server does not accept it" : "token: none found",
          tokenHint);
    }
    if (problem == null || !problem.has("code")) {
      return FailureException.notReachable(
          "server: " + server + " (HTTP " + status + ", not an answer of Beckon's API)",
          "check the address given with --server or BECKON_SERVER");
    }
    String message =
        problem.path("detail").asText(problem.path("title").asText(problem.path("code").asText()));
    return FailureException.failed(
        message, hintFor(problem.path("code").asText(), problem.path("hint").asText("")));
  }

  private static @Nullable String hintFor(String code, String hint) {
    if (!hint.isEmpty()) {
      return hint;
    }
    return switch (code) {
      case "device-unknown" ->
          "'beckon device list' shows the devices, 'beckon device add ID' adds one; with"
              + " application servers, ask the rendezvous server";
      case "action-unknown", "argument-unknown", "argument-missing", "argument-invalid" ->
          "'beckon device show ID' lists what the device can do";
      case "group-empty" ->
          "'beckon device list --label LABEL' shows who has it, 'beckon device label ID LABEL'"
              + " gives it";
      case "command-unknown" -> "'beckon command list' shows the commands";
      default -> null;
    };
  }

  private JsonNode json(HttpResponse<byte[]> response) {
    if (response.body().length == 0) {
      return JSON.createObjectNode();
    }
    JsonNode answer = parse(response.body());
    if (answer == null) {
      throw FailureException.notReachable(
          "server: " + server + " (its answer is not JSON, so it is not Beckon's API)",
          "check the address given with --server or BECKON_SERVER");
    }
    return answer;
  }

  private static @Nullable JsonNode parse(byte[] body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      return null;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
