package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
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
