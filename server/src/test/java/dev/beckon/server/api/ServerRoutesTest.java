package dev.beckon.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.command.Commands;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.store.Database;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The application servers over real HTTP; every answer is compared with openapi.yaml. */
final class ServerRoutesTest {

  private static final OpenApiContract CONTRACT = new OpenApiContract();
  private static final Advertised HERE = new Advertised("127.0.0.1", 3478, 5349);
  private static final String SEVEN = "/v1/application-servers/7";

  @TempDir private Path folder;

  private final InstantSource clock = InstantSource.system();
  private final HttpClient client = HttpClient.newHttpClient();
  private Database database;
  private Identity identity;
  private Commands commands;
  private RendezvousDirectory directory;
  private ApiServer server;

  @BeforeEach
  void start() throws IOException {
    database = Database.open(folder);
    identity = Identity.open(database, clock, () -> HERE);
    commands = Commands.open(database, identity.devices()::find, clock);
    directory =
        new RendezvousDirectory(
            database,
            clock,
            identity.ca(),
            true,
            () -> identity.ca().issueServer(Set.of(0, 65_535)),
            () -> HERE);
    server = start(Optional.of(directory));
  }

  private ApiServer start(Optional<RendezvousDirectory> here) throws IOException {
    return ApiServer.start(
        new ApiConfig(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), false),
        new ApiServer.Parts(
            commands,
            commands::submit,
            Optional.of(commands.groups()),
            identity.devices(),
            Optional.of(identity.devices()),
            id -> Optional.empty(),
            (id, server, deadline) -> WakeRequests.Outcome.WAKING,
            here,
            Optional.empty(),
            text -> {},
            () -> true,
            Tokens.openOrCreate(folder, new SecureRandom()),
            clock));
  }

  @AfterEach
  void stop() {
    server.close();
    directory.close();
    commands.close();
    database.close();
  }

  private HttpResponse<byte[]> call(String method, String path, String body) throws Exception {
    String token = java.nio.file.Files.readString(folder.resolve(Tokens.ADMIN_FILE)).strip();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.address().getPort() + path))
            .header("Authorization", "Bearer " + token)
            .method(method, BodyPublishers.ofString(body));
    if (!body.isEmpty()) {
      request.header("Content-Type", "application/json");
    }
    HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
    CONTRACT.check(answer);
    return answer;
  }

  private JsonNode ok(int status, String method, String path, String body) throws Exception {
    HttpResponse<byte[]> answer = call(method, path, body);
    assertThat(answer.statusCode()).as(new String(answer.body())).isEqualTo(status);
    return Json.MAPPER.readTree(answer.body());
  }

  private static String entry(String address) {
    return "{\"name\":\"printing\",\"address\":\"" + address + "\"}";
  }

  @Test
  void addsAServerAndHandsOutItsCode() throws Exception {
    JsonNode answer = ok(201, "POST", SEVEN, entry("print.example.org"));

    EnrollmentCode code = EnrollmentCode.parse(answer.get("enrollmentCode").asText());
    assertThat(code.caFingerprint()).isEqualTo(identity.ca().fingerprint());
    assertThat(answer.get("directory").get("version").asInt()).isEqualTo(1);
    JsonNode list = ok(200, "GET", "/v1/application-servers", "");
    assertThat(list.get("applicationServers")).hasSize(1);
    JsonNode seven = list.get("applicationServers").get(0);
    assertThat(seven.get("number").asInt()).isEqualTo(7);
    assertThat(seven.get("address").asText()).isEqualTo("print.example.org");
    assertThat(seven.get("state").asText()).isEqualTo("INVITED");
    assertThat(list.get("directory").get("upToDate").asBoolean()).isTrue();
    assertThat(list.get("directory").get("signer").asInt()).isZero();
  }

  @Test
  void answersWithTheListThatHasTheChangeInIt() throws Exception {
    ok(201, "POST", SEVEN, entry("print.example.org"));

    JsonNode changed = ok(200, "PUT", SEVEN, entry("10.0.0.7:6000"));
    JsonNode removed = ok(200, "DELETE", SEVEN, "");

    assertThat(changed.get("applicationServer").get("address").asText()).isEqualTo("10.0.0.7:6000");
    assertThat(changed.get("directory").get("version").asInt()).isEqualTo(2);
    assertThat(removed.get("directory").get("version").asInt()).isEqualTo(3);
    assertThat(ok(200, "GET", "/v1/application-servers", "").get("applicationServers")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          POST   | /v1/application-servers/0     | {"name":"a","address":"h"}     | 400 | parameter-invalid
          POST   | /v1/application-servers/70000 | {"name":"a","address":"h"}     | 400 | parameter-invalid
          PUT    | /v1/application-servers/x     | {"name":"a","address":"h"}     | 400 | parameter-invalid
          POST   | /v1/application-servers/7     | {"name":"a","address":"h:0"}   | 400 | parameter-invalid
          POST   | /v1/application-servers/7     | {"name":"","address":"h"}      | 400 | parameter-invalid
          POST   | /v1/application-servers/7     | {"name":"a"}                   | 400 | request-malformed
          PUT    | /v1/application-servers/7     | {"name":"a","address":"h","valid":"1h"} | 400 | request-malformed
          PUT    | /v1/application-servers/7     | {"name":"a","address":"h"}     | 404 | application-server-unknown
          DELETE | /v1/application-servers/7     | ''                             | 404 | application-server-unknown
          """)
  void refusesWhatCannotBe(String method, String path, String body, int status, String code)
      throws Exception {
    JsonNode problem = ok(status, method, path, body);

    assertThat(problem.get("code").asText()).isEqualTo(code);
    assertThat(problem.get("detail").asText()).contains("(expected ");
    assertThat(directory.directory().version()).isZero();
  }

  @Test
  void sendsWhoAsksAnotherServerToTheRendezvousServer() throws Exception {
    server.close();
    server = start(Optional.empty());

    JsonNode problem = ok(409, "GET", "/v1/application-servers", "");

    assertThat(problem.get("code").asText()).isEqualTo("role-missing");
    assertThat(problem.get("hint").asText()).contains("--server");
    assertThat(ok(409, "POST", SEVEN, entry("h")).get("code").asText()).isEqualTo("role-missing");
  }
}
