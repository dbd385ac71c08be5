package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Labels and group commands, against a scripted server. */
class GroupCommandsTest extends ApiStubTest {

  private static final String POST = "POST /v1/commands";
  private static final String GET = "GET /v1/commands/01G?wait=1s";

  private static String group(int queued, int succeeded, int failed, int expired) {
    return String.format(
        Locale.ROOT,
        """
        {"id":"01G","labels":["hall","north"],"action":"echo","args":{"text":"hello"},
         "bodyBytes":0,"acceptedAt":"2026-01-01T00:00:00.000Z",
         "deadline":"2026-01-01T00:01:00.000Z","devices":4,"complete":true,"cancelAsked":false,
         "counts":{"QUEUED":%d,"SUCCEEDED":%d,"FAILED":%d,"EXPIRED":%d}%s}\
        """,
        queued,
        succeeded,
        failed,
        expired,
        queued == 0 ? ",\"endedAt\":\"2026-01-01T00:00:09.000Z\"" : "");
  }

  @Test
  void setsAndClearsLabels() {
    server.answers(
        "PUT /v1/devices/kitchen/labels", "{\"id\":\"kitchen\",\"labels\":[\"a\",\"b\"]}");

    assertThat(place.run("device", "label", "kitchen", "b", "a"))
        .isEqualTo(new CommandRun(0, "kitchen a b\n", ""));
    assertThat(server.requests().getLast().body()).isEqualTo("{\"labels\":[\"b\",\"a\"]}");
    place.run("device", "label", "kitchen", "--clear");
    assertThat(server.requests().getLast().body()).isEqualTo("{\"labels\":[]}");
  }

  @Test
  void doesNotTakeLabelsAwayByMistake() {
    CommandRun none = place.run("device", "label", "kitchen");
    CommandRun both = place.run("device", "label", "kitchen", "a", "--clear");

    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.err()).contains("LABEL: missing (expected labels, or --clear)");
    assertThat(both.exitCode()).isEqualTo(2);
    assertThat(server.requests()).isEmpty();
  }

  @Test
  void listsDevicesByLabel() {
    server.answers(
        "GET /v1/devices?label=hall%2Cnorth&limit=100",
        "{\"devices\":[{\"id\":\"kitchen\",\"labels\":[\"hall\",\"north\"]}]}");

    CommandRun run = place.run("device", "list", "--label", "hall,north");

    assertThat(run.out()).contains("LABELS").contains("hall north");
  }

  @Test
  void sendsToAGroup() {
    server.answers(POST, group(4, 0, 0, 0));

    CommandRun run = place.run("send", "--group", "hall,north", "echo", "text=hello", "n=1");

    assertThat(run).isEqualTo(new CommandRun(0, "01G\n", ""));
    assertThat(server.requests().getFirst().body())
        .isEqualTo(
            "{\"labels\":[\"hall\",\"north\"],\"action\":\"echo\","
                + "\"args\":{\"text\":\"hello\",\"n\":\"1\"}}");
    assertThat(server.requests().getFirst().header("Idempotency-key")).isNotEmpty();
  }

  @ParameterizedTest
  @CsvSource({"4, 0, 0, 0", "3, 1, 0, 1", "3, 0, 1, 4", "2, 1, 1, 1", "0, 4, 0, 1"})
  void endsWithZeroOnlyIfAllSucceeded(int succeeded, int failed, int expired, int exitCode) {
    server.answers(POST, group(4, 0, 0, 0)).answers(GET, group(0, succeeded, failed, expired));

    CommandRun run = place.run("send", "--group", "hall", "echo", "--wait");

    assertThat(run.exitCode()).isEqualTo(exitCode);
  }

  @ParameterizedTest
  @CsvSource({"9, 4, true", "0, 0, false"})
  void doesNotEndWithZeroIfNotAllDevicesHadACommand(int devices, int succeeded, boolean cancelled) {
    server
        .answers(POST, group(4, 0, 0, 0))
        .answers(
            GET,
            group(0, succeeded, 0, 0)
                .replace("\"devices\":4", "\"devices\":" + devices)
                .replace("\"cancelAsked\":false", "\"cancelAsked\":" + cancelled));

    CommandRun run = place.run("send", "--group", "hall", "echo", "--wait");

    assertThat(run.exitCode()).isEqualTo(1);
  }

  @Test
  void theBarIsFullIfMoreDevicesCameThanWereCounted() {
    String more = group(1, 6, 0, 0);
    server
        .answers(POST, group(4, 0, 0, 0))
        .answers(GET, more)
        .answers(GET, group(0, 4, 0, 0))
        .answers("GET /v1/commands?limit=100", "{\"commands\":[],\"groups\":[" + more + "]}");

    CommandRun run = place.atTerminal().run("send", "--group", "hall", "echo", "--wait");

    assertThat(run.err()).contains("[##############################] 100 %  6 ");
    assertThat(place.run("command", "list").out()).contains("100 %").doesNotContain("150");
  }

  @Test
  void showsLinesWhereThereIsNoTerminal() {
    server
        .answers(POST, group(4, 0, 0, 0))
        .answers(GET, group(3, 1, 0, 0))
        .answers(GET, group(0, 3, 1, 0));

    CommandRun run = place.run("send", "--group", "hall", "echo", "--wait");

    assertThat(run.err())
        .contains("01G to hall,north (4): echo text=hello")
        .contains("100 %  3 SUCCEEDED  1 FAILED\n")
        .doesNotContain("\r")
        .doesNotContain("\u001b");
    assertThat(run.out()).isEqualTo("3 SUCCEEDED  1 FAILED\n");
  }

  @Test
  void showsABarOnATerminal() {
    server
        .answers(POST, group(4, 0, 0, 0))
        .answers(GET, group(2, 2, 0, 0))
        .answers(GET, group(0, 4, 0, 0));

    CommandRun run = place.atTerminal().run("send", "--group", "hall", "echo", "--wait");

    assertThat(run.err())
        .contains("\r\u001b[K[###############...............]  50 %  2 ")
        .contains("[##############################] 100 %  4 ");
  }

  @Test
  void printsTheGroupAsJsonOnceItHasEnded() throws Exception {
    server.answers(POST, group(4, 0, 0, 0)).answers(GET, group(0, 4, 0, 0));

    CommandRun run = place.run("send", "--group", "hall", "echo", "--wait", "--json");

    assertThat(Api.JSON.readTree(run.out()).path("counts").path("SUCCEEDED").asInt()).isEqualTo(4);
    assertThat(run.err()).isEmpty();
  }

  @Test
  void saysThatNobodyHasTheLabels() {
    server.refuses(POST, 422, "group-empty", "labels: moon (expected labels that somebody has)");

    CommandRun run = place.run("send", "--group", "moon", "echo");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("labels: moon (expected").contains("beckon device list --label");
  }

  @ParameterizedTest
  @CsvSource({
    "send kitchen, ACTION: missing",
    "send --group hall echo --wait --save-body f, --save-body: not with --group",
    "send 'no/such' echo, device ID: 'no/such'"
  })
  void refusesWrongUsage(String line, String message) {
    CommandRun run = place.run(line.replace("'", "").split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message.replace("'", ""));
    assertThat(server.requests()).isEmpty();
  }

  @Test
  void showsAndCancelsAGroup() {
    server
        .answers("GET /v1/commands/01G", group(3, 1, 0, 0))
        .answers("DELETE /v1/commands/01G", 202, "application/json", group(3, 1, 0, 0));

    CommandRun shown = place.run("command", "show", "01G");
    CommandRun cancelled = place.run("command", "cancel", "01G");

    assertThat(shown.out())
        .contains("01G to hall,north (4): echo text=hello")
        .contains(" 25 %  1 SUCCEEDED  3 QUEUED");
    assertThat(cancelled.out()).isEqualTo("01G is being cancelled: 1 SUCCEEDED  3 QUEUED\n");
    assertThat(place.run("command", "show", "01G", "--save-body", "-").exitCode()).isEqualTo(2);
  }

  @Test
  void listsGroupsAmongTheCommands() {
    server.answers(
        "GET /v1/commands?limit=100",
        "{\"commands\":[{\"id\":\"01H\",\"deviceId\":\"cellar\",\"state\":\"QUEUED\"},"
            + "{\"id\":\"01A\",\"deviceId\":\"attic\",\"state\":\"FAILED\"}],\"groups\":["
            + group(3, 1, 0, 0)
            + "]}");
    server.answers("GET /v1/commands?group=01G&limit=100", "{\"commands\":[],\"groups\":[]}");

    CommandRun run = place.run("command", "list");

    assertThat(run.out().lines().skip(1).map(line -> line.substring(0, 3)))
        .containsExactly("01H", "01G", "01A");
    assertThat(run.out()).contains("hall,north (4)  25 %");
    assertThat(place.run("command", "list", "--group", "01G").err()).contains("no commands");
  }
}
