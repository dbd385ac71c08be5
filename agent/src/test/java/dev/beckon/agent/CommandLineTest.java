package dev.beckon.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What a person sees who makes a mistake: one clear message and the documented exit code. */
class CommandLineTest {
  @TempDir private Path folder;
  private final StringWriter err = new StringWriter();

  @Test
  void aDamagedCodeIsAUsageError() {
    assertThat(run("enroll", "beckon1:host:1:AAAA", "--data", folder.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("enrollment code");
  }

  @Test
  void anUnreachableServerIsThree() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    } // nobody listens there now
    String code =
        new EnrollmentCode("127.0.0.1", port, new byte[32], new byte[16], Instant.ofEpochSecond(9))
            .format();

    assertThat(run("enroll", code, "--data", folder.resolve("d").toString())).isEqualTo(3);
    assertThat(err.toString()).contains("server: 127.0.0.1:" + port).contains("is it running");
    assertThat(err.toString().lines()).hasSize(1);
  }

  @Test
  void anAgentThatIsNotEnrolledSaysHowToEnroll() {
    assertThat(run("agent", "--data", folder.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("run: beckon enroll CODE");
  }

  @Test
  void aBadConfigurationIsAUsageErrorWithItsLine() throws IOException {
    Path config = Files.writeString(folder.resolve("my.yaml"), "\nintervall: 25s\n");

    assertThat(run("agent", "--data", folder.toString(), "--config", config.toString()))
        .isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo(
            "beckon-agent: "
                + config
                + ":2: intervall: unknown key (expected interval?)"
                + System.lineSeparator());
  }

  @Test
  void aConfigurationInTheDataFolderIsRead() throws IOException {
    Files.writeString(folder.resolve("agent.yaml"), "delivery: pull\n");

    assertThat(run("agent", "--data", folder.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("agent.yaml:1: delivery: pull");
  }

  @Test
  void badOptionsAreUsageErrors() {
    assertThat(run("agent", "--interval", "25")).isEqualTo(2);
    assertThat(err.toString()).contains("25 (expected a number with ms, s, m or h");
    assertThat(run("agent", "--security", "off")).isEqualTo(2);
    assertThat(err.toString()).contains("off (expected mutual, server or none)");
    assertThat(run("agent", "--delivery", "pull")).isEqualTo(2);
    assertThat(run("agent", "--colour")).isEqualTo(2);
    assertThat(run()).isEqualTo(2);
    assertThat(run("--help")).isZero();
  }

  @Test
  void aDataFolderThatIsAFileIsToldAsSuch() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    String code =
        new EnrollmentCode("127.0.0.1", 1, new byte[32], new byte[16], Instant.ofEpochSecond(9))
            .format();

    assertThat(run("enroll", code, "--data", file.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("data: " + file);
  }

  private int run(String... arguments) {
    CommandLine line = Main.commandLine();
    line.setErr(new PrintWriter(err, true));
    line.setOut(new PrintWriter(new StringWriter(), true));
    return line.execute(arguments);
  }
}
