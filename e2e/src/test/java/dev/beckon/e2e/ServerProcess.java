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
import java.util.Map;
import org.jspecify.annotations.NullMarked;

/** {@code beckon serve} on a server's host of the lab, and its API. */
@NullMarked
final class ServerProcess {

  static final int UDP_PORT = 3478;
  static final int TLS_PORT = 5349;
  private static final int HTTP_PORT = 8080;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Host host;
  private final Path data;
  private final URI api;
  private final String token;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private List<String> options;
  private LabProcess process;

  private ServerProcess(
      Host host, Path data, List<String> options, LabProcess process, URI api, String token) {
    this.host = host;
    this.data = data;
    this.options = options;
    this.process = process;
    this.api = api;
    this.token = token;
  }

  /** Starts it on both addresses of the host; it is ready when this returns. */
  static ServerProcess start(Host host, Path folder, String... options) {
    List<String> all = new ArrayList<>(List.of("--tls", at(host.address(), TLS_PORT)));
    if (!List.of(options).contains("--advertise")) {
      all.addAll(List.of("--advertise", host.address()));
    }
    for (String address : host.addresses()) {
      all.addAll(List.of("--udp", at(address, UDP_PORT)));
    }
    all.addAll(List.of(options));
    return start(host, folder.resolve("server"), all);
  }

  /** Starts it with these options and no others; it is ready when this returns. */
  static ServerProcess start(Host host, Path data, List<String> options) {
    LabProcess process = launch(host, data, options);
    Door door = host.door(HTTP_PORT, data);
    try {
      String token = Files.readString(data.resolve("admin.token")).strip();
      URI api = URI.create("http://127.0.0.1:" + door.address().getPort());
      return new ServerProcess(host, data, options, process, api, token);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static LabProcess launch(Host host, Path data, List<String> options) {
    List<String> arguments =
        new ArrayList<>(
            List.of("serve", "--data", data.toString(), "--http", at("127.0.0.1", HTTP_PORT)));
    arguments.addAll(options);
    LabProcess process = host.start(JavaCommand.of("dev.beckon.cli.Main", arguments));
    process.await("ready", line -> line.startsWith("ready "), PATIENCE);
    return process;
  }

  /** Cuts it off, as a power cut would. */
  void kill() {
    process.kill();
    process.awaitEnd(PATIENCE);
  }

  /** Starts it again as it was started before; it is ready when this returns. */
  void startAgain() {
    process = launch(host, data, options);
  }

  /** Stops it and starts it with other options on the same data; it is ready when this returns. */
  void restart(String... others) {
    process.stop();
    process.awaitEnd(PATIENCE);
    options = List.of(others);
    startAgain();
  }

  static String at(String address, int port) {
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

  /** Gives a server a number, or gives it a new code; its enrollment code. */
  String addServer(int number, String name, String address) {
    return post("/v1/application-servers/" + number, entry(name, address))
        .path("enrollmentCode")
        .asText();
  }

  /** Changes what the directory says of a server; the version that says so. */
  long setServer(int number, String name, String address) {
    return put("/v1/application-servers/" + number, entry(name, address))
        .path("directory")
        .path("version")
        .asLong();
  }

  private static ObjectNode entry(String name, String address) {
    return JSON.createObjectNode().put("name", name).put("address", address);
  }

  /** Shuts a device out. */
  void revoke(String device) {
    post("/v1/devices/" + device + "/revocation", JSON.createObjectNode());
  }

  /** Submits an echo command; its ID. */
  String echo(String device, String text) {
    return send(device, "echo", Map.of("text", text));
  }

  /** Submits a command; its ID. */
  String send(String device, String action, Map<String, String> args) {
    ObjectNode command = JSON.createObjectNode().put("action", action);
    args.forEach(command.putObject("args")::put);
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

  JsonNode put(String path, JsonNode body) {
    return exchange(
        request(path)
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofString(body.toString())));
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
