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
  private static final int DIRECTORY_SERVER = 65_535;
  private static final int LOOK_MILLIS = 50;
  private static final int MOST_LOOKS = 60_000 / LOOK_MILLIS;

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

  /** Puts a server into the directory; its enrollment code. */
  String addServer(int number, String name, String address) {
    HttpRequest.Builder request = post("/v1/application-servers/" + number, entry(name, address));
    return exchange(request).path("enrollmentCode").asText();
  }

  /** Changes where the directory says that a server is. */
  void setServer(int number, String name, String address) {
    exchange(
        request("/v1/application-servers/" + number)
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofString(entry(name, address).toString())));
  }

  /** Waits until server 65535 has signed the newest list; its version. */
  long awaitSignedDirectory() {
    for (int i = 0; i < MOST_LOOKS; i++) {
      JsonNode directory = exchange(request("/v1/application-servers").GET()).path("directory");
      if (directory.path("upToDate").asBoolean()
          && directory.path("signer").asInt() == DIRECTORY_SERVER) {
        return directory.path("version").asLong();
      }
      pause();
    }
    throw new DemoException("the directory server has not signed the list");
  }

  private static void pause() {
    try {
      Thread.sleep(LOOK_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DemoException("interrupted");
    }
  }

  /** Where it is, as address:port. */
  String address() {
    return server.getAuthority();
  }

  private static ObjectNode entry(String name, String address) {
    return JSON.createObjectNode().put("name", name).put("address", address);
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
