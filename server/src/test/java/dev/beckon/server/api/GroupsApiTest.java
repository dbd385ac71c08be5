package dev.beckon.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.Groups;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Devices;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.store.Database;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Labels and group commands with real HTTP; every answer is compared with openapi.yaml. */
class GroupsApiTest {

  private static final OpenApiContract CONTRACT = new OpenApiContract();

  @TempDir private Path folder;

  private final InstantSource clock = InstantSource.system();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private Database database;
  private Identity identity;
  private Commands commands;
  private ApiServer server;
  private String token;

  @BeforeEach
  void start() throws Exception {
    database = Database.open(folder);
    identity = Identity.open(database, clock, () -> new Advertised("127.0.0.1", 3478, 5349));
    commands = Commands.open(database, identity.devices()::find, clock);
    for (String id : List.of("a", "b", "c")) {
      identity.devices().add(new DeviceId(id), Duration.ofHours(1)).get(10, TimeUnit.SECONDS);
    }
    database
        .write(sql -> sql.update("UPDATE devices SET state = 'ENROLLED', generation = 1"))
        .get(10, TimeUnit.SECONDS);
    serve(Optional.of(commands.groups()), Optional.of(identity.devices()));
  }

  private void serve(Optional<Groups> groups, Optional<Devices> register) throws Exception {
    server =
        ApiServer.start(
            new ApiConfig(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), false),
            new ApiServer.Parts(
                commands,
                commands::submit,
                groups,
                identity.devices(),
                register,
                id -> Optional.empty(),
                (id, number, deadline) -> WakeRequests.Outcome.WAKING,
                Optional.empty(),
                Optional.empty(),
                text -> {},
                () -> true,
                Tokens.openOrCreate(folder, new SecureRandom()),
                clock));
    token = Files.readString(folder.resolve(Tokens.OPERATOR_FILE)).strip();
  }

  @AfterEach
  void stop() {
    server.close();
    commands.close();
    database.close();
  }

  private void label(String id, String labels) throws Exception {
    HttpResponse<byte[]> answer =
        call("PUT", "/v1/devices/" + id + "/labels", "{\"labels\":" + labels + "}");
    assertThat(answer.statusCode()).isEqualTo(200);
  }

  private void addCommands() {
    while (commands.groups().work()) {
      // once for each portion
    }
  }

  // ---- labels

  @Test
  void setsShowsAndClearsLabels() throws Exception {
    label("a", "[\"hall\",\"attic\",\"hall\"]");
    assertThat(json(get("/v1/devices/a")).path("labels").toString())
        .isEqualTo("[\"attic\",\"hall\"]");
    assertThat(json(get("/v1/devices")).path("devices").path(0).path("labels")).hasSize(2);

    label("a", "[\"cellar\"]");
    assertThat(json(get("/v1/devices/a")).path("labels").toString()).isEqualTo("[\"cellar\"]");
    label("a", "[]");
    assertThat(json(get("/v1/devices/a")).path("labels")).isEmpty();
  }

  @Test
  void listsTheDevicesThatHaveAllTheLabels() throws Exception {
    label("a", "[\"hall\",\"north\"]");
    label("b", "[\"hall\"]");
    label("c", "[\"hall\",\"north\"]");

    assertThat(json(get("/v1/devices?label=hall,north")).path("devices").findValuesAsText("id"))
        .containsExactly("a", "c");
    JsonNode page = json(get("/v1/devices?label=hall&limit=2"));
    assertThat(page.path("devices").findValuesAsText("id")).containsExactly("a", "b");
    assertThat(page.path("next").asText()).isEqualTo("b");
    assertThat(json(get("/v1/devices?label=hall&after=b")).path("devices")).hasSize(1);
    assertThat(json(get("/v1/devices?label=moon")).path("devices")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'labels':['two words']} | label: \"two words\" (expected 1 to 64 of A-Z a-z 0-9 . _ : -)",
        "{'labels':['']} | label: \"\" (expected 1 to 64 of A-Z a-z 0-9 . _ : -)",
        "{'labels':[7]} | labels: 7 (expected strings)",
        "{'labels':'hall'} | labels: \"hall\" (expected a list of strings)",
        "{} | labels: missing (expected a list of strings)",
      })
  void refusesWhatCannotBeALabel(String body, String detail) throws Exception {
    HttpResponse<byte[]> answer = call("PUT", "/v1/devices/a/labels", body.replace('\'', '"'));

    assertThat(json(answer).path("detail").asText()).isEqualTo(detail);
    assertThat(answer.statusCode()).isEqualTo(400);
  }

  @Test
  void refusesTooManyAndTooLongLabels() throws Exception {
    StringBuilder many = new StringBuilder("[\"x\"");
    for (int i = 0; i < 32; i++) {
      many.append(",\"l").append(i).append('"');
    }
    assertProblem(
        call("PUT", "/v1/devices/a/labels", "{\"labels\":" + many + "]}"), 400, "label-invalid");
    assertProblem(
        call("PUT", "/v1/devices/a/labels", "{\"labels\":[\"" + "x".repeat(65) + "\"]}"),
        400,
        "label-invalid");
    assertProblem(get("/v1/devices?label=a,b,c,d,e,f,g,h,i"), 400, "label-invalid");
    assertProblem(get("/v1/devices?label="), 400, "label-invalid");
    assertProblem(
        call("PUT", "/v1/devices/nobody/labels", "{\"labels\":[]}"), 404, "device-unknown");
  }

  @Test
  void anApplicationServerSaysWhereTheLabelsAre() throws Exception {
    server.close();
    serve(Optional.empty(), Optional.empty());

    assertProblem(call("PUT", "/v1/devices/a/labels", "{\"labels\":[]}"), 409, "role-missing");
    assertProblem(get("/v1/devices?label=hall"), 409, "role-missing");
    assertProblem(
        call("POST", "/v1/commands", "{\"labels\":[\"hall\"],\"action\":\"echo\"}"),
        409,
        "role-missing");
    assertThat(json(get("/v1/commands")).path("groups")).isEmpty();
    assertProblem(get("/v1/commands/01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404, "command-unknown");
  }

  // ---- groups

  private JsonNode sent(String body) throws Exception {
    HttpResponse<byte[]> answer = call("POST", "/v1/commands", body.replace('\'', '"'));
    assertThat(answer.statusCode()).isEqualTo(201);
    assertThat(answer.headers().firstValue("Location"))
        .hasValue("/v1/commands/" + json(answer).path("id").asText());
    return json(answer);
  }

  private void report(String device, State state) throws Exception {
    JsonNode command = json(get("/v1/commands?device=" + device)).path("commands").path(0);
    commands
        .update(
            new DeviceId(device),
            Update.newBuilder().setCommandId(command.path("id").asText()).setState(state).build(),
            null)
        .get(10, TimeUnit.SECONDS);
  }

  @Test
  void sendsToAllThatHaveTheLabelsAndShowsTheWhole() throws Exception {
    label("a", "[\"hall\"]");
    label("b", "[\"hall\"]");
    JsonNode group = sent("{'labels':['hall'],'action':'echo','args':{'text':'x'}}");
    assertThat(group.path("devices").asInt()).isEqualTo(2);
    addCommands();
    report("a", State.SUCCEEDED);

    String path = "/v1/commands/" + group.path("id").asText();
    JsonNode shown = json(get(path));
    assertThat(shown.path("complete").asBoolean()).isTrue();
    assertThat(shown.path("counts").path("SUCCEEDED").asInt()).isEqualTo(1);
    assertThat(shown.path("counts").path("QUEUED").asInt()).isEqualTo(1);
    assertThat(shown.has("endedAt")).isFalse();
    report("b", State.FAILED);
    assertThat(json(get(path)).has("endedAt")).isTrue();
  }

  @Test
  void holdsTheAnswerBackUntilTheGroupHasEnded() throws Exception {
    label("a", "[\"hall\"]");
    JsonNode group = sent("{'labels':['hall'],'action':'echo'}");
    addCommands();
    var answer =
        client.sendAsync(
            request("/v1/commands/" + group.path("id").asText() + "?wait=30s").GET().build(),
            BodyHandlers.ofByteArray());
    report("a", State.SUCCEEDED);
    commands.onTime(clock.instant());

    assertThat(json(answer.get(25, TimeUnit.SECONDS)).has("endedAt")).isTrue();
  }

  @Test
  void listsGroupsAsAWholeAndTheirCommandsOnRequest() throws Exception {
    label("a", "[\"hall\"]");
    label("b", "[\"hall\"]");
    String group = sent("{'labels':['hall'],'action':'echo'}").path("id").asText();
    addCommands();
    String single =
        json(call("POST", "/v1/devices/c/commands", "{\"action\":\"echo\"}")).path("id").asText();

    JsonNode all = json(get("/v1/commands"));
    assertThat(all.path("commands").findValuesAsText("id")).containsExactly(single);
    assertThat(all.path("groups").findValuesAsText("id")).containsExactly(group);
    JsonNode first = json(get("/v1/commands?limit=1"));
    assertThat(first.path("commands")).hasSize(1);
    assertThat(first.path("groups")).isEmpty();
    JsonNode second = json(get("/v1/commands?limit=1&after=" + first.path("next").asText()));
    assertThat(second.path("groups").findValuesAsText("id")).containsExactly(group);
    assertThat(second.has("next")).isFalse();
    JsonNode members = json(get("/v1/commands?group=" + group));
    assertThat(members.path("commands").findValuesAsText("groupId")).containsExactly(group, group);
    assertThat(json(get("/v1/commands?state=QUEUED")).path("commands")).hasSize(3);
  }

  @Test
  void cancelsAGroup() throws Exception {
    label("a", "[\"hall\"]");
    String path = "/v1/commands/" + sent("{'labels':['hall'],'action':'echo'}").path("id").asText();
    addCommands();

    HttpResponse<byte[]> asked = call("DELETE", path, "");
    assertThat(asked.statusCode()).isEqualTo(202);
    assertThat(json(asked).path("cancelAsked").asBoolean()).isTrue();
    addCommands();

    assertThat(json(get(path)).path("counts").path("CANCELLED").asInt()).isEqualTo(1);
    assertProblem(call("DELETE", path, ""), 409, "command-ended");
  }

  @Test
  void repeatsTheFirstAnswerForTheSameIdempotencyKey() throws Exception {
    label("a", "[\"hall\"]");
    String body = "{\"labels\":[\"hall\"],\"action\":\"echo\"}";
    HttpResponse<byte[]> first = keyed(body);
    HttpResponse<byte[]> again = keyed(body);

    assertThat(first.statusCode()).isEqualTo(201);
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(json(again).path("id")).isEqualTo(json(first).path("id"));
    assertProblem(keyed(body.replace("echo", "other")), 409, "idempotency-key-reused");
  }

  private HttpResponse<byte[]> keyed(String body) throws Exception {
    return send(
        request("/v1/commands")
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", "key")
            .POST(BodyPublishers.ofString(body)));
  }

  @Test
  void takesABodyAndADeadlineForAll() throws Exception {
    label("a", "[\"hall\"]");
    HttpResponse<byte[]> answer =
        send(
            request("/v1/commands")
                .header("Content-Type", "multipart/form-data; boundary=xyz")
                .POST(
                    BodyPublishers.ofString(
                        "--xyz\r\nContent-Disposition: form-data; name=\"command\"\r\n\r\n"
                            + "{\"labels\":[\"hall\"],\"action\":\"print\",\"deadline\":\"1h\"}\r\n"
                            + "--xyz\r\nContent-Disposition: form-data; name=\"body\";"
                            + " filename=\"b\"\r\n\r\nhello\r\n--xyz--\r\n")));

    assertThat(json(answer).path("bodyBytes").asInt()).isEqualTo(5);
    assertThat(Instant.parse(json(answer).path("deadline").asText()))
        .isAfter(clock.instant().plusSeconds(3_500));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'labels':['moon'],'action':'echo'} | 422 | group-empty",
        "{'labels':[],'action':'echo'} | 400 | label-invalid",
        "{'labels':['a b'],'action':'echo'} | 400 | label-invalid",
        "{'action':'echo'} | 400 | request-malformed",
        "{'labels':['hall']} | 400 | request-malformed",
        "{'labels':['hall'],'action':'echo','deadline':'2001-01-01T00:00:00Z'} | 422 |"
            + " deadline-passed",
        "{'labels':['hall'],'action':'no such'} | 422 | action-unknown",
        "{'labels':['hall'],'action':'echo','device':'a'} | 400 | request-malformed",
      })
  void refusesWhatCannotBeAGroupCommand(String body, int status, String code) throws Exception {
    label("a", "[\"hall\"]");

    assertProblem(call("POST", "/v1/commands", body.replace('\'', '"')), status, code);
  }

  @Test
  void tellsListenersOfTheGroupAndOnlyThoseOfADeviceOfItsCommand() throws Exception {
    label("a", "[\"hall\"]");
    try (BufferedReader all = events("/v1/events");
        BufferedReader one = events("/v1/events?device=a")) {
      String group = sent("{'labels':['hall'],'action':'echo'}").path("id").asText();
      addCommands();
      report("a", State.SUCCEEDED);
      commands.onTime(clock.instant());

      JsonNode told = event(all, "group");
      assertThat(told.path("id").asText()).isEqualTo(group);
      CONTRACT.validate("#/components/schemas/GroupCommand", told.toString());
      while (!told.has("endedAt")) {
        told = event(all, "group");
      }
      assertThat(event(one, "command").path("groupId").asText()).isEqualTo(group);
    }
  }

  private BufferedReader events(String path) throws Exception {
    BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                client.send(request(path).GET().build(), BodyHandlers.ofInputStream()).body(),
                StandardCharsets.UTF_8));
    assertThat(lines.readLine()).isEqualTo(": listening");
    return lines;
  }

  private static JsonNode event(BufferedReader lines, String kind) throws Exception {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("event: ")) {
        assertThat(line).isEqualTo("event: " + kind);
      } else if (line.startsWith("data: ")) {
        return Json.MAPPER.readTree(line.substring("data: ".length()));
      }
    }
    throw new AssertionError("the stream ended");
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + server.address().getPort() + path))
        .timeout(Duration.ofSeconds(60))
        .header("Authorization", "Bearer " + token);
  }

  private HttpResponse<byte[]> get(String path) throws Exception {
    return send(request(path).GET());
  }

  private HttpResponse<byte[]> call(String method, String path, String body) throws Exception {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body)));
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
    HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
    CONTRACT.check(answer);
    return answer;
  }

  private static void assertProblem(HttpResponse<byte[]> answer, int status, String code)
      throws Exception {
    assertThat(json(answer).path("code").asText()).isEqualTo(code);
    assertThat(answer.statusCode()).isEqualTo(status);
  }

  private static JsonNode json(HttpResponse<byte[]> answer) throws Exception {
    return Json.MAPPER.readTree(answer.body());
  }
}
