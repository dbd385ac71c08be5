package dev.beckon.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.lab.Door;
import dev.beckon.lab.Host;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullMarked;

/** {@code beckon serve} on the lab's server, and its API. */
@NullMarked
final class ServerProcess {

  static final int UDP_PORT = 3478;
  static final int TLS_PORT = 5349;
  private static final int HTTP_PORT = 8080;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final LabProcess process;
  private final URI api;
  private final String token;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private ServerProcess(LabProcess process, URI api, String token) {
    this.process = process;
    this.api = api;
    this.token = token;
  }

  /** Starts it on both addresses of the host; it is ready when this returns. */
  static ServerProcess start(Host host, Path folder, String... options) {
    Path data = folder.resolve("server");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "serve",
                "--data",
                data.toString(),
                "--tls",
                at(host.address(), TLS_PORT),
                "--http",
                at("127.0.0.1", HTTP_PORT)));
    if (!List.of(options).contains("--advertise")) {
      arguments.addAll(List.of("--advertise", host.address()));
    }
    for (String address : host.addresses()) {
      arguments.addAll(List.of("--udp", at(address, UDP_PORT)));
    }
    arguments.addAll(List.of(options));
    LabProcess process = host.start(JavaCommand.of("dev.beckon.cli.Main", arguments));
    process.await("ready", line -> line.startsWith("ready "), PATIENCE);
    Door door = host.door(HTTP_PORT, folder);
    try {
      String token = Files.readString(data.resolve("admin.token")).strip();
      return new ServerProcess(
          process, URI.create("http://127.0.0.1:" + door.address().getPort()), token);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String at(String address, int port) {
    return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
  }

  LabProcess process() {
    return process;
  }

  /** Invites a device; its enrollment code. */
  String add(String device) {
    return post("/v1/devices", JSON.createObjectNode().put("id", device))
        .path("enrollmentCode")
        .asText();
  }

  /** Submits an echo command; its ID. */
  String echo(String device, String text) {
    ObjectNode command = JSON.createObjectNode().put("action", "echo");
    command.putObject("args").put("text", text);
    return post("/v1/devices/" + device + "/commands", command).path("id").asText();
  }

  JsonNode command(String id) {
    return get("/v1/commands/" + id);
  }

  JsonNode device(String id) {
    return get("/v1/devices/" + id);
  }

  JsonNode get(String path) {
    return exchange(request(path).GET());
  }

  JsonNode post(String path, JsonNode body) {
    return exchange(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body.toString())));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(api.resolve(path))
        .timeout(PATIENCE)
        .header("Authorization", "Bearer " + token);
  }

  private JsonNode exchange(HttpRequest.Builder request) {
    try {
      HttpResponse<String> answer = client.send(request.build(), BodyHandlers.ofString());
      if (answer.statusCode() >= 300) {
        throw new AssertionError("HTTP " + answer.statusCode() + ": " + answer.body());
      }
      return JSON.readTree(answer.body());
    } catch (IOException e) {
      throw new AssertionError("API: " + e + "; the server printed: " + process.lines(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
