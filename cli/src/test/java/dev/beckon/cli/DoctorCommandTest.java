package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DoctorCommandTest extends ApiStubTest {

  @BeforeEach
  void answers() {
    server.answers("GET /healthz", "{}").answers("GET /v1/devices?limit=1", "{\"devices\":[]}");
  }

  private static String finding(CommandRun run, String check) throws IOException {
    for (JsonNode item : Api.JSON.readTree(run.out()).path("checks")) {
      if (item.path("check").asText().equals(check)) {
        return item.path("finding").asText();
      }
    }
    return "none";
  }

  @Test
  void findsNothingWrongWithAServerThatAnswers() {
    server.answers("GET /readyz", "{}");

    CommandRun run = place.run("doctor");

    assertThat(run)
        .isEqualTo(
            new CommandRun(
                0,
                "ok      api           answers, and takes traffic\n"
                    + "ok      token         accepted\n",
                ""));
  }

  @Test
  void tellsThatTheServerTakesNoTraffic() {
    server.refuses("GET /readyz", 503, "not-ready", "server: starting");

    CommandRun run = place.run("doctor");

    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.out()).contains("wrong   api           server: starting\n").contains("log");
  }

  @Test
  void tellsWhatOthersCanReadAndWhatNobodyCan() throws IOException {
    server.answers("GET /readyz", "{}");
    Path data = Files.createDirectory(home.resolve("data"));
    Path token = Files.writeString(data.resolve("admin.token"), "x");
    Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-r--r--"));
    Files.writeString(data.resolve("fleet-ca.pem"), "no certificate");
    Files.setPosixFilePermissions(
        data.resolve("fleet-ca.pem"), PosixFilePermissions.fromString("rw-------"));

    CommandRun run = place.run("doctor", "--json", "--udp-port", "1", "--data", data.toString());

    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(finding(run, "privacy")).isEqualTo("WRONG");
    assertThat(run.out()).contains("chmod 600 " + token);
    assertThat(finding(run, "fleet-ca.pem")).isEqualTo("WRONG");
    assertThat(finding(run, "disk")).isNotEqualTo("none");
  }

  @Test
  void looksAtTheHostThatDevicesDial() throws IOException {
    server.answers("GET /readyz", "{}");
    try (ServerSocket tls = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CommandRun run =
          place.run(
              "doctor",
              "--json",
              "--host",
              "127.0.0.1",
              "--tls-port",
              Integer.toString(tls.getLocalPort()));

      assertThat(finding(run, "tls")).isEqualTo("OK");
      assertThat(finding(run, "host")).as("loopback").isEqualTo("WRONG");
    }
    CommandRun nowhere = place.run("doctor", "--json", "--host", "no.such.host.invalid");
    assertThat(finding(nowhere, "host")).isEqualTo("WRONG");
  }
}
