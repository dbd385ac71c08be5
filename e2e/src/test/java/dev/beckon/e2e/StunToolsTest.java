package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other people's STUN programs understand us: coturn's client and Wireshark's decoder. */
class StunToolsTest {
  private static final long PATIENCE_SECONDS = 60;

  @TempDir private Path folder;

  @Test
  void anIndependentClientLearnsItsMappedAddress() throws IOException, InterruptedException {
    try (LiveServer server = LiveServer.start(folder.resolve("server"), true)) {
      String port = String.valueOf(server.udpAddress().getPort());

      String printed = run("turnutils_stunclient", "-p", port, "127.0.0.1");

      assertThat(printed).containsPattern("UDP reflexive addr: 127\\.0\\.0\\.1:\\d+");
    }
  }

  @Test
  void wiresharkDecodesACapturedConversationAsStun() throws IOException, InterruptedException {
    Path capture = folder.resolve("conversation.pcap");
    captureAWokenDevice(capture);

    List<String> types =
        run("tshark", "-r", capture.toString(), "-T", "fields", "-e", "stun.type").lines().toList();
    String details = run("tshark", "-r", capture.toString(), "-V");

    // tshark prints what it knows of each packet; an empty line would be one that is not STUN.
    assertThat(types).isNotEmpty().allMatch(type -> type.startsWith("0x"));
    assertThat(types).contains("0x0001", "0x0101", "0x026e", "0x036e");
    assertThat(details.toLowerCase(java.util.Locale.ROOT)).doesNotContain("malformed");
    assertThat(details).contains("Username: kitchen").contains("XOR-MAPPED-ADDRESS");
  }

  private void captureAWokenDevice(Path capture) throws IOException, InterruptedException {
    String data = folder.resolve("device").toString();
    try (LiveServer server = LiveServer.start(folder.resolve("server"), false);
        UdpTap tap = UdpTap.before(server.udpAddress())) {
      try (PythonDevice enrolling =
          PythonDevice.start("enroll", server.code("kitchen"), "--data", data)) {
        assertThat(enrolling.exitCode()).isZero();
      }
      Path identity = Path.of(data, "identity.json");
      Files.writeString(
          identity,
          Files.readString(identity)
              .replaceFirst(
                  "\"udp\": \"[^\"]*\"", "\"udp\": \"127.0.0.1:" + tap.address().getPort() + '"'));
      try (PythonDevice device =
          PythonDevice.start("run", "--data", data, "--lab", "--interval", "3")) {
        device.awaitLine("keepalive-answered");
        assertThat(server.send("kitchen", "echo", "{}").path("state").asText())
            .isEqualTo("SUCCEEDED");
      }
      tap.writeCapture(capture);
    }
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new AssertionError(
          command[0] + ": not found (expected on the PATH; ./check installs it)", e);
    }
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as(printed).isTrue();
    return printed.replaceFirst("Running as user \"root\".*\\R", "");
  }
}
