package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the README, compiled: it must read exactly like this. */
class ReadmeExampleTest {
  private final Relay relay = new Relay();

  // README: begin
  Device start(Path data) throws IOException {
    Action power = Action.named("power").takes(Parameter.flag("on"));
    return Device.builder()
        .identity(DeviceIdentity.load(data))
        .action(power, command -> Result.of("on", relay.set(command.flag("on"))))
        .build()
        .start();
  }

  // README: end

  @Test
  void standsInTheReadmeAsItIsCompiledHere() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/dev/beckon/device/ReadmeExampleTest.java"));
    String example =
        source
            .substring(source.indexOf("begin\n") + 6, source.indexOf("  // README: end"))
            .stripTrailing()
            .stripIndent();

    assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + example + "\n```");
  }

  @Test
  void wantsAnEnrolledDevice(@TempDir Path empty) {
    assertThatThrownBy(() -> start(empty))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("run: beckon enroll CODE");
    assertThat(relay.set(true)).isTrue();
  }

  private static final class Relay {
    boolean set(boolean on) {
      return on;
    }
  }
}
