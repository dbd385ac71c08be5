package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ClientCommandsTest extends ApiStubTest {

  @Test
  void printsTheEnrollmentCodeAlone() {
    server.answers("POST /v1/devices", "{\"id\":\"kitchen\",\"enrollmentCode\":\"beckon1:h:1:x\"}");

    CommandRun run = place.run("device", "add", "kitchen", "--valid", "10m");

    assertThat(run).isEqualTo(new CommandRun(0, "beckon1:h:1:x\n", ""));
    assertThat(server.requests().get(0).body()).isEqualTo("{\"id\":\"kitchen\",\"valid\":\"10m\"}");
  }

  @Test
  void printsAServersEnrollmentCodeAlone() {
    server.answers(
        "POST /v1/application-servers/7",
        "{\"number\":7,\"enrollmentCode\":\"beckon1:h:1:x\",\"directory\":{\"upToDate\":true}}");

    CommandRun run = place.run("app-server", "add", "7", "printing", "[2001:db8::7]:6000");

    assertThat(run).isEqualTo(new CommandRun(0, "beckon1:h:1:x\n", ""));
    assertThat(server.requests().get(0).body())
        .isEqualTo("{\"name\":\"printing\",\"address\":\"[2001:db8::7]:6000\",\"valid\":\"1h\"}");
  }

  @Test
  void changesListsAndRemovesServers() {
    server
        .answers(
            "PUT /v1/application-servers/7",
            "{\"directory\":{\"upToDate\":false,\"signer\":65535}}")
        .answers(
            "GET /v1/application-servers",
            """
            {"applicationServers":[{"number":7,"name":"printing","address":"print.example.org",
             "state":"ENROLLED","generation":1}],
             "directory":{"version":3,"issuedAt":"2026-01-01T00:00:00.000Z","upToDate":true,
             "devicesUpToDate":98,"devicesBeingWoken":2}}\
            """)
        .answers("DELETE /v1/application-servers/7", "{\"directory\":{\"upToDate\":true}}");

    assertThat(place.run("app-server", "set", "7", "printing", "print.example.org"))
        .isEqualTo(
            new CommandRun(
                0,
                "7 is printing at print.example.org\n",
                "not in the devices' directory yet: it waits for the directory server, 65535\n"));
    assertThat(place.run("app-server", "list"))
        .isEqualTo(
            new CommandRun(
                0,
                """
                NUMBER  NAME      ADDRESS            STATE     GENERATION
                7       printing  print.example.org  ENROLLED  1
                """,
                "directory version 3 of 2026-01-01T00:00:00.000Z: 98 devices have it, 2 are being"
                    + " woken for it\n"));
    assertThat(place.run("app-server", "remove", "7"))
        .isEqualTo(new CommandRun(0, "7 removed\n", ""));
  }

  @Test
  void refusesWhatNoServerCanBeBeforeItAsksAnybody() {
    CommandRun number = place.run("app-server", "add", "70000", "printing", "host");
    CommandRun word = place.run("app-server", "add", "abc", "printing", "host");
    CommandRun address = place.run("app-server", "set", "7", "printing", "host:0");

    assertThat(number.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(number.err()).startsWith("beckon: number: 70000 (expected 1 to 65534, or 65535 for");
    assertThat(word.err()).startsWith("beckon: number: abc (expected 1 to 65534, or 65535 for");
    assertThat(address.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(address.err()).startsWith("beckon: address: host:0 (expected ADDRESS");
    assertThat(server.requests()).isEmpty();
  }

  @Test
  void listsDevicesPageByPage() {
    server
        .answers(
            "GET /v1/devices?limit=100",
            """
            {"devices":[{"id":"kitchen","state":"ENROLLED","presence":{"reachable":true,
             "mappedAddress":"203.0.113.1:40001","lastSeen":"2026-01-01T00:00:00.000Z"}}],
             "next":"kitchen"}\
            """)
        .answers(
            "GET /v1/devices?limit=99&after=kitchen",
            "{\"devices\":[{\"id\":\"a-new-one\",\"state\":\"INVITED\"}]}");

    CommandRun run = place.run("device", "list");

    assertThat(run.out())
        .isEqualTo(
            """
            ID         STATE     REACHABLE  MAPPED ADDRESS     LAST SEEN                 LABELS
            kitchen    ENROLLED  yes        203.0.113.1:40001  2026-01-01T00:00:00.000Z  -
            a-new-one  INVITED   -          -                  -                         -
            """);
  }

  @Test
  void saysWhenAListGoesOn() {
    server.answers(
        "GET /v1/commands?limit=1", "{\"commands\":[{\"id\":\"01K\"}],\"next\":\"01K\"}");

    CommandRun run = place.run("command", "list", "--limit", "1");

    assertThat(run.err()).contains("there are more: --limit");
  }

  @Test
  void asksForTheCommandsOfOneDeviceInOneState() {
    server.answers("GET /v1/commands?device=kitchen&state=FAILED&limit=100", "{\"commands\":[]}");

    CommandRun run = place.run("command", "list", "--device", "kitchen", "--state", "failed");

    assertThat(run).isEqualTo(new CommandRun(0, "", "no commands\n"));
  }

  @Test
  void tellsACancelledCommandFromOneThatTheDeviceIsAskedAbout() {
    server
        .answers("DELETE /v1/commands/01K", "{\"id\":\"01K\",\"state\":\"CANCELLED\"}")
        .answers("DELETE /v1/commands/02K", "{\"id\":\"02K\",\"state\":\"RUNNING\"}")
        .refuses("DELETE /v1/commands/03K", 409, "command-ended", "command: 03K is FAILED");

    assertThat(place.run("command", "cancel", "01K").out()).isEqualTo("01K CANCELLED\n");
    assertThat(place.run("command", "cancel", "02K").out())
        .isEqualTo("02K RUNNING: the device is asked to cancel it\n");
    assertThat(place.run("command", "cancel", "03K"))
        .isEqualTo(new CommandRun(1, "", "beckon: command: 03K is FAILED\n"));
  }

  @Test
  void showsARefusalAsOneLineAndAHint() {
    server.refuses(
        "GET /v1/devices/kitchen", 404, "device-unknown", "device: kitchen (expected a device …)");

    CommandRun run = place.run("device", "show", "kitchen");

    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err())
        .isEqualTo(
            """
            beckon: device: kitchen (expected a device …)
              'beckon device list' shows the devices, 'beckon device add ID' adds one; with \
            application servers, ask the rendezvous server
            """);
  }

  @Test
  void showsADeviceWithItsActions() {
    server.answers(
        "GET /v1/devices/kitchen",
        """
        {"id":"kitchen","state":"ENROLLED","generation":2,"addedAt":"2026-01-01T00:00:00.000Z",
         "presence":{"reachable":false,"intervalSeconds":25},"actions":[
          {"name":"set","description":"changes a value","acceptsBody":false,
           "acceptsOtherArgs":false,"parameters":[
            {"name":"key","type":"STRING","required":true,"values":["volume","brightness"]},
            {"name":"value","type":"INTEGER","required":false,"min":0,"max":100}]},
          {"name":"print","acceptsBody":true,"acceptsOtherArgs":true,"parameters":[]}]}\
        """);

    CommandRun run = place.run("device", "show", "kitchen");

    assertThat(run.out())
        .contains("generation      2\n")
        .contains("reachable       no\n")
        .contains("interval        25 s\n")
        .endsWith(
            """
            actions
              set key=volume|brightness [value=INTEGER(0..100)]  (changes a value)
              print [KEY=VALUE...] [--body FILE]
            """);
  }

  @Test
  void endsWithThreeWhenNobodyAnswers() throws IOException {
    String nobody;
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = "http://127.0.0.1:" + taken.getLocalPort();
    }

    CommandRun run = place.run("device", "list", "--server", nobody);

    assertThat(run.exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);
    assertThat(run.err()).startsWith("beckon: server: " + nobody + " (nothing answers there)\n");
  }

  @Test
  void endsWithThreeWhenSomethingElseAnswers() {
    server.answers("GET /v1/devices?limit=100", 200, "text/html", "<html>hello</html>");

    CommandRun run = place.run("device", "list");

    assertThat(run.exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);
    assertThat(run.err()).contains("it is not Beckon's API");
  }

  @Test
  void wakesADeviceForTheServerThatIsAskedOrForAnother() {
    server.answers("POST /v1/devices/kitchen/wakes", "{\"deadline\":\"2026-01-01T00:00:30Z\"}");

    assertThat(place.run("wake", "kitchen"))
        .isEqualTo(new CommandRun(0, "waking kitchen until 2026-01-01T00:00:30Z\n", ""));
    assertThat(place.run("wake", "kitchen", "--app-server", "7"))
        .isEqualTo(
            new CommandRun(0, "waking kitchen for server 7 until 2026-01-01T00:00:30Z\n", ""));
    assertThat(place.run("wake", "kitchen", "--app-server", "seven").exitCode())
        .isEqualTo(ExitCode.USAGE);
    assertThat(server.requests().stream().map(r -> r.body()))
        .containsExactly("{}", "{\"server\":7}");
  }

  @Test
  void takesTheTokenFromFileThenEnvironmentThenDataFolder() throws IOException {
    server.answers("POST /v1/devices/kitchen/wakes", "{}");
    Path file = Files.writeString(home.resolve("t"), "from-file\n");
    Path folder = Files.createDirectories(home.resolve(".local/share/beckon/server"));
    Files.writeString(folder.resolve("admin.token"), "from-folder\n");

    place.run("wake", "kitchen");
    place.with("BECKON_TOKEN", "from-environment").run("wake", "kitchen");
    place.run("wake", "kitchen", "--token-file", file.toString());

    assertThat(server.requests().stream().map(r -> r.header("Authorization")))
        .containsExactly("Bearer from-folder", "Bearer from-environment", "Bearer from-file");
  }

  @Test
  void tellsAMissingTokenFromAWrongOne() {
    server.refuses("POST /v1/devices/kitchen/wakes", 401, "unauthorized", "no");

    assertThat(place.run("wake", "kitchen").err())
        .startsWith("beckon: token: none found\n  give --token-file FILE or BECKON_TOKEN");
    assertThat(place.with("BECKON_TOKEN", "x").run("wake", "kitchen").err())
        .startsWith("beckon: token: the server does not accept it\n");
  }
}
