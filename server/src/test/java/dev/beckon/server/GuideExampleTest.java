package dev.beckon.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.server.command.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of docs/APPLICATION-SERVERS.md, compiled: it must read exactly like this. */
class GuideExampleTest {

  // guide: begin
  void print(Path data, String code) throws IOException {
    try (DeliveryEndpoint printing = DeliveryEndpoint.builder(data).enroll(code).start()) {
      Command sent = printing.send("kitchen", "display", Map.of("text", "hello")).join();
      Command ended = printing.end(sent.id()).join();
      System.out.println(ended.state());
    }
  }

  // guide: end

  @Test
  void standsInTheGuideAsItIsCompiledHere() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/dev/beckon/server/GuideExampleTest.java"));
    String example =
        source
            .substring(source.indexOf("begin\n") + 6, source.indexOf("  // guide: end"))
            .stripTrailing()
            .stripIndent();

    assertThat(Files.readString(Path.of("../docs/APPLICATION-SERVERS.md")))
        .contains("```java\n" + example + "\n```");
  }

  @Test
  void wantsACodeOfAnAppServer(@TempDir Path empty) {
    assertThatThrownBy(() -> print(empty, "kitchen"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("enrollment code");
  }
}
