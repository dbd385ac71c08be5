package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SendCommandTest extends ApiStubTest {

  private static final String POST = "POST /v1/devices/kitchen/commands";
  private static final String GET = "GET /v1/commands/01K";

  private static String command(String state, String more) {
    return """
    {"id":"01K","deviceId":"kitchen","action":"echo","args":{"text":"hello"},"state":"%s",
     "acceptedAt":"2026-01-01T00:00:00.000Z","result":{"text":"hello"},"resultBodyBytes":0,
     "timeline":[{"at":"2026-01-01T00:00:00.000Z","event":"queued","details":{}}%s]}\
    """
        .formatted(state, more);
  }

  @Test
  void printsTheIdAloneOnStandardOutput() {
    server.answers(POST, command("QUEUED", ""));

    CommandRun run = place.run("send", "kitchen", "echo", "text=hello");

    assertThat(run).isEqualTo(new CommandRun(0, "01K\n", ""));
  }

  @Test
  void sendsActionArgumentsAndDeadline() throws IOException {
    server.answers(POST, command("QUEUED", ""));
    Path file = Files.writeString(home.resolve("notice.txt"), "from a file\n");

    place
        .typing("typed in\n")
        .run(
            "send", "kitchen", "display", "a=1", "b=@" + file, "c=-", "d=@@at", "--deadline", "5m");

    JsonNode body = json(server.requests().get(0).body());
    assertThat(body.toString())
        .isEqualTo(
            "{\"action\":\"display\",\"args\":{\"a\":\"1\",\"b\":\"from a file\",\"c\":\"typed"
                + " in\",\"d\":\"@at\"},\"deadline\":\"5m\"}");
  }

  @Test
  void triesAgainUnderTheSameIdempotencyKeyWhenTheConnectionBreaks() {
    server.hangsUpOn(POST).answers(POST, command("QUEUED", ""));

    CommandRun run = place.run("send", "kitchen", "echo");

    assertThat(run.exitCode()).isZero();
    assertThat(server.requests().stream().map(r -> r.header("Idempotency-key")).distinct())
        .as("keys of %s", server.requests())
        .hasSize(1)
        .allSatisfy(key -> assertThat(key).hasSizeGreaterThan(20));
    assertThat(server.requests()).hasSizeGreaterThan(1);
  }

  @Test
  void sendsABodyAsASecondPart() throws IOException {
    server.answers(POST, command("QUEUED", ""));
    Path file = Files.writeString(home.resolve("page.txt"), "the page");

    place.run("send", "kitchen", "print", "--body", file.toString());

    ApiStub.Request request = server.requests().get(0);
    assertThat(request.header("Content-type")).startsWith("multipart/form-data; boundary=");
    assertThat(request.body())
        .contains("name=\"command\"\r\nContent-Type: application/json\r\n\r\n{\"action\":\"print\"")
        .contains("name=\"body\"; filename=\"body\"")
        .contains("\r\n\r\nthe page\r\n--");
  }

  @ParameterizedTest
  @CsvSource({
    "SUCCEEDED, 0",
    "FAILED, 1",
    "REJECTED, 1",
    "CANCELLED, 1",
    "UNKNOWN, 1",
    "EXPIRED, 4"
  })
  void endsWithTheExitCodeOfTheState(String state, int exitCode) {
    server.answers(POST, command("QUEUED", "")).answers(GET, command(state, ""));

    CommandRun run = place.run("send", "kitchen", "echo", "--wait");

    assertThat(run.exitCode()).isEqualTo(exitCode);
    assertThat(run.err()).contains(state);
  }

  @Test
  void showsTheTimelineOnceAsItGrowsAndTheResultOnStandardOutput() {
    String sent =
        ",{\"at\":\"2026-01-01T00:00:00.003Z\",\"event\":\"wake-sent\","
            + "\"details\":{\"mappedAddress\":\"203.0.113.1:40001\","
            + "\"serverAddress\":\"203.0.113.100:3478\",\"transmission\":\"1\",\"wakeId\":\"1f\"}}";
    String finished =
        ",{\"at\":\"2026-01-01T00:00:00.095Z\",\"event\":\"finished\",\"details\":{}}";
    server
        .answers(POST, command("QUEUED", ""))
        .answers(GET, command("QUEUED", sent))
        .answers(GET, command("SUCCEEDED", sent + finished));

    CommandRun run = place.run("send", "kitchen", "echo", "text=hello", "--wait");

    assertThat(run.out()).isEqualTo("text=hello\n");
    assertThat(run.err())
        .isEqualTo(
            """
            01K to kitchen: echo text=hello
                    0 ms  queued
                    3 ms  wake sent       203.0.113.100:3478 → 203.0.113.1:40001
                   95 ms  finished
            SUCCEEDED
            """);
  }

  @Test
  void printsOneJsonObjectAndNoTimelineForPrograms() throws IOException {
    server
        .answers(POST, command("QUEUED", ""))
        .answers(GET + "?wait=10s", command("RUNNING", ""))
        .answers(GET + "?wait=10s", command("SUCCEEDED", ""));

    CommandRun run = place.run("send", "kitchen", "echo", "--wait", "--json");

    assertThat(json(run.out()).path("state").asText()).isEqualTo("SUCCEEDED");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void goesOnFollowingWhenTheServerIsAwayForAMoment() {
    server
        .answers(POST, command("QUEUED", ""))
        .hangsUpOn(GET)
        .answers(GET, command("SUCCEEDED", ""));

    assertThat(place.run("send", "kitchen", "echo", "--wait").exitCode()).isZero();
  }

  @Test
  void coloursOnlyOnTerminals() {
    server.answers(POST, command("SUCCEEDED", ""));

    assertThat(place.run("send", "kitchen", "echo", "--wait").err()).doesNotContain("\u001b");
    place.atTerminal();
    assertThat(place.run("send", "kitchen", "echo", "--wait").err()).contains("\u001b[32m");
    place.with("NO_COLOR", "1");
    assertThat(place.run("send", "kitchen", "echo", "--wait").err()).doesNotContain("\u001b");
  }

  @Test
  void savesTheBodyOfTheResult() throws IOException {
    String ended =
        command("SUCCEEDED", "").replace("\"resultBodyBytes\":0", "\"resultBodyBytes\":7");
    server.answers(POST, ended).answers(GET + "/body", 200, "application/octet-stream", "picture");
    Path file = home.resolve("picture.bin");

    place.run("send", "kitchen", "scan", "--wait", "--save-body", file.toString());

    assertThat(file).hasContent("picture");
  }

  @ParameterizedTest
  @CsvSource({
    "text, argument: text (expected KEY=VALUE",
    "=x, argument: =x (expected KEY=VALUE",
    "text=@/no/such/file, text: @/no/such/file (no such file)"
  })
  void refusesAnArgumentThatIsNone(String argument, String message) {
    CommandRun run = place.run("send", "kitchen", "echo", argument);

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("beckon: " + message);
    assertThat(server.requests()).isEmpty();
  }

  @Test
  void refusesTheSameArgumentTwice() {
    CommandRun run = place.run("send", "kitchen", "echo", "text=a", "text=b");

    assertThat(run)
        .isEqualTo(new CommandRun(2, "", "beckon: argument: text (expected only once)\n"));
  }

  @Test
  void marksSecretArgumentsAndTakesThemFromFilesOrStandardInput() throws IOException {
    server.answers(POST, command("QUEUED", ""));
    Path pin = Files.writeString(home.resolve("pin"), "hunter2\n\n");

    CommandRun run =
        place
            .typing("typed in\r\n")
            .run(
                "send",
                "kitchen",
                "set",
                "pin=@" + pin,
                "word=-",
                "x=y",
                "--secret",
                "pin",
                "--secret",
                "word");

    assertThat(run).isEqualTo(new CommandRun(0, "01K\n", ""));
    JsonNode sent = json(server.requests().get(0).body());
    assertThat(sent.path("args").path("pin").asText()).as("one line end").isEqualTo("hunter2\n");
    assertThat(sent.path("args").path("word").asText()).isEqualTo("typed in");
    assertThat(sent.path("secret").toString()).isEqualTo("[\"pin\",\"word\"]");
  }

  @Test
  void refusesSecretsThatAreNone() {
    assertThat(place.run("send", "kitchen", "set", "pin=x", "--secret", "pn").err())
        .startsWith("beckon: --secret: pn (expected one of the arguments pin)\n");
    assertThat(place.run("send", "kitchen", "set", "--secret", "pn").err())
        .startsWith("beckon: --secret: pn (expected the name of an argument; there are none)\n");
    assertThat(place.run("send", "kitchen", "set", "--secret-body").err())
        .isEqualTo("beckon: --secret-body: needs --body\n");
    assertThat(server.requests()).isEmpty();
  }

  @Test
  void refusesFilesThatAreNoArgumentsWithoutQuotingThem() throws IOException {
    Path nul = Files.writeString(home.resolve("nul"), "hunter2\0");
    Path binary = Files.write(home.resolve("binary"), new byte[] {'h', (byte) 0xC3, 'x'});
    Path large = Files.writeString(home.resolve("large"), "h".repeat(49_153));

    assertThat(place.run("send", "kitchen", "set", "pin=@" + nul).err())
        .startsWith("beckon: pin: @" + nul + " (expected text without NUL characters)\n");
    assertThat(place.run("send", "kitchen", "set", "pin=@" + binary).err())
        .startsWith("beckon: pin: @" + binary + " (expected text in UTF-8)\n");
    assertThat(place.run("send", "kitchen", "set", "pin=@" + large).err())
        .startsWith("beckon: pin: @" + large + " (expected at most 49152 bytes)\n");
    assertThat(place.run("send", "kitchen", "set", "pin=@" + home).exitCode())
        .isEqualTo(ExitCode.USAGE);
    assertThat(place.run("send", "kitchen", "set", "a=-", "b=-").err())
        .startsWith("beckon: argument: b=- (expected: only one argument from standard input)");
    assertThat(server.requests()).isEmpty();
  }

  private static JsonNode json(String text) throws IOException {
    return Api.JSON.readTree(text);
  }
}
