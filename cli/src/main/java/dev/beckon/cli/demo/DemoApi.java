package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;

/** The server's HTTP API, as any program would use it. */
final class DemoApi {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration ANSWER_TIME = Duration.ofSeconds(30);
  private static final Set<String> UNENDED = Set.of("QUEUED", "DELIVERED", "RUNNING");
  private static final int MOST_ASKS = 3;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI server;
  private final String token;

  /**
   * An API.
   *
   * @param address address:port
   * @param token for all its calls
   */
  DemoApi(String address, String token) {
    server = URI.create("http://" + address);
    this.token = token;
  }

  /** Invites a device; its enrollment code. */
  String add(String device) {
    ObjectNode body = JSON.createObjectNode().put("id", device);
    return exchange(post("/v1/devices", body)).path("enrollmentCode").asText();
  }

  /** Sends a device an echo command; it is on the server's disk when this returns. */
  JsonNode echo(String device, String text) {
    ObjectNode body = JSON.createObjectNode().put("action", "echo");
    body.putObject("args").put("text", text);
    return exchange(post("/v1/devices/" + device + "/commands", body));
  }

  /** Follows a command to its end, or to where it is after a long time. */
  JsonNode ended(JsonNode command) {
    JsonNode now = command;
    for (int i = 0; i < MOST_ASKS && UNENDED.contains(now.path("state").asText()); i++) {
      now = exchange(request("/v1/commands/" + now.path("id").asText() + "?wait=10s").GET());
    }
    return now;
  }

  private HttpRequest.Builder post(String path, JsonNode body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body.toString()));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(server.resolve(path))
        .timeout(ANSWER_TIME)
        .header("Authorization", "Bearer " + token);
  }

  private JsonNode exchange(HttpRequest.Builder request) {
    try {
      HttpResponse<String> answer = client.send(request.build(), BodyHandlers.ofString());
      if (answer.statusCode() >= 400) {
        throw new DemoException("the API refused: " + answer.body());
      }
      return JSON.readTree(answer.body());
    } catch (IOException e) {
      throw new DemoException("the API does not answer: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DemoException("interrupted");
    }
  }
}
