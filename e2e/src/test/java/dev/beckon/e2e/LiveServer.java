package dev.beckon.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.protocol.Security;
import dev.beckon.server.Server;
import dev.beckon.server.ServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A real server on free ports of the loopback, and its API as an operator uses it. */
final class LiveServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Server server;
  private final String token;
  private final HttpClient http = HttpClient.newHttpClient();

  private LiveServer(Server server, String token) {
    this.server = server;
    this.token = token;
  }

  static LiveServer start(Path data, boolean publicStun) throws IOException {
    return start(data, publicStun, Security.MUTUAL);
  }

  static LiveServer start(Path data, Security security) throws IOException {
    return start(data, false, security);
  }

  private static LiveServer start(Path data, boolean publicStun, Security security)
      throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return start(
        ServerConfig.at(data)
            .udp(List.of(any))
            .tls(any)
            .http(any)
            .advertise("127.0.0.1")
            .publicStun(publicStun)
            .security(security)
            .build());
  }

  static LiveServer start(ServerConfig config) throws IOException {
    Server server = Server.start(config);
    return new LiveServer(server, Files.readString(config.data().resolve("admin.token")).strip());
  }

  InetSocketAddress udpAddress() {
    return server.udpAddresses().get(0);
  }

  InetSocketAddress tlsAddress() {
    return server.tlsAddress();
  }

  /** An enrollment code for a device. */
  String code(String id) throws IOException, InterruptedException {
    return post("/v1/devices", "{\"id\": \"" + id + "\", \"valid\": \"1h\"}")
        .path("enrollmentCode")
        .asText();
  }

  /** Sends a command and waits for its end; the API's answer. */
  JsonNode send(String device, String action, String args)
      throws IOException, InterruptedException {
    return post(
        "/v1/devices/" + device + "/commands?wait=60s",
        "{\"action\": \"" + action + "\", \"args\": " + args + ", \"deadline\": \"60s\"}");
  }

  JsonNode post(String path, String body) throws IOException, InterruptedException {
    return JSON.readTree(
        exchange(
            request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))));
  }

  JsonNode get(String path) throws IOException, InterruptedException {
    return JSON.readTree(exchange(request(path).GET()));
  }

  String apiAddress() {
    return "http://127.0.0.1:" + server.httpAddress().getPort();
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(apiAddress() + path))
        .header("Authorization", "Bearer " + token);
  }

  byte[] exchange(HttpRequest.Builder request) throws IOException, InterruptedException {
    return http.send(request.build(), BodyHandlers.ofByteArray()).body();
  }

  @Override
  public void close() {
    server.close();
    http.close();
  }
}
