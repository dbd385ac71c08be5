package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServeCommandTest {

  @TempDir private Path home;

  private CommandRun serveWith(String yaml) throws IOException {
    Path file = Files.writeString(home.resolve("server.yaml"), yaml);
    return new CommandRun.Place(home).run("serve", "--config", file.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "data: /tmp/x\\nudpp: 1          | 2 | unknown key udpp (did you mean udp?)",
        "advertize: example.org         | 1 | unknown key advertize (did you mean advertise?)",
        "colour: red                    | 1 | unknown key colour (expected one of data, udp,",
        "tls: 5349                      | 1 | tls: 5349 (expected ADDRESS:PORT",
        "udp:\\n- 127.0.0.1:1\\n- 127.0.0.1 | 1 | udp: 127.0.0.1 (expected ADDRESS:PORT",
        "http: 127.0.0.1:99999          | 1 | http: 127.0.0.1:99999 (expected ADDRESS:PORT",
        "security: mutal                | 1 | security: mutal (expected mutual, server or none;"
            + " did",
        "role: waiter                   | 1 | role: waiter (expected rendezvous, delivery, dir",
        "insecure: maybe                | 1 | insecure: maybe (expected true or false)",
        "tls: [127.0.0.1:1]             | 1 | tls (expected one value, not a list)",
        "data: /a\\ndata: /b            | 2 | data (expected only once)",
        "data: [                        | 1 | not YAML: ",
        "just words                     | 1 | expected lines of the form KEY: VALUE"
      })
  void namesTheLineThatIsWrong(String yaml, int line, String message) throws IOException {
    CommandRun run = serveWith(yaml.replace("\\n", "\n"));

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err())
        .startsWith("beckon: " + home.resolve("server.yaml") + ":" + line + ": " + message);
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void namesTheOptionThatIsWrong() {
    CommandRun run = new CommandRun.Place(home).run("serve", "--tls", "everywhere");

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("beckon: --tls: everywhere (expected ADDRESS:PORT");
  }

  @ParameterizedTest
  @CsvSource({
    "none, 0.0.0.0:0, 127.0.0.1:0, 0.0.0.0:0",
    "server, 127.0.0.1:0, 192.0.2.7:3478, 192.0.2.7:3478"
  })
  void keepsWhatIsForLabsOffNetworks(String security, String tls, String udp, String where) {
    CommandRun run =
        new CommandRun.Place(home)
            .run("serve", "--security", security, "--tls", tls, "--udp", udp, "--data", "nowhere");

    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err())
        .startsWith("beckon: security: " + security + " (expected mutual, since " + where)
        .contains("--insecure")
        .hasLineCount(1);
  }

  @Test
  void knowsThreeSecurityModes() {
    CommandRun run = new CommandRun.Place(home).run("serve", "--security", "non");

    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err())
        .isEqualTo(
            "beckon: --security: non (expected mutual, server or none; did you mean none?)\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--role waiter                 | 2 | --role: waiter (expected rendezvous, delivery,"
            + " directory",
        "--role delivery,              | 2 | --role: delivery, (expected rendezvous, delivery, dir",
        "--role delivery               | 2 | role: delivery (expected an enrolled data folder: run",
        "--role directory              | 2 | role: directory (expected an enrolled data folder:"
            + " run",
        "--role delivery,directory     | 2 | role: delivery,directory (expected one of",
        "--role rendezvous --enroll x  | 2 | role: rendezvous with an enrollment code (expected",
        "--role delivery --enroll x    | 2 | enrollment code",
        "--enroll beckon2:h:1:x        | 2 | enrollment code"
      })
  void saysWhichRolesGoWithWhichFolderAndCode(String options, int exitCode, String message) {
    List<String> words = new ArrayList<>(List.of("serve"));
    words.addAll(List.of("--data", home.resolve("new").toString()));
    words.addAll(List.of(options.split(" ")));
    CommandRun run = new CommandRun.Place(home).run(words.toArray(new String[0]));

    assertThat(run.err()).startsWith("beckon: " + message).hasLineCount(1);
    assertThat(run.exitCode()).isEqualTo(exitCode);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:0, 127.0.0.1:0",
    "'[::1]:8080', '[::1]:8080'",
    "0.0.0.0:65535, 0.0.0.0:65535",
    "127.0.0.1, ''",
    "'::1:80', ''",
    ":80, ''",
    "'[]:80', ''",
    "127.0.0.1:65536, ''",
    "127.0.0.1:-1, ''"
  })
  void readsAddresses(String text, String expected) {
    assertThat(SocketAddressText.parse(text).map(SocketAddresses::format).orElse(""))
        .isEqualTo(expected);
  }
}
