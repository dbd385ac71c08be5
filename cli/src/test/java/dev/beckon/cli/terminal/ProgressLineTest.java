package dev.beckon.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
final class ProgressLineTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private long nowNanos;

  private ProgressLine line(boolean terminal) {
    PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
    return new ProgressLine(stream, terminal, () -> nowNanos);
  }

  private String printed() {
    String text = printed.toString(StandardCharsets.UTF_8);
    printed.reset();
    return text;
  }

  @Test
  void onATerminalOneLineIsDrawnAgainWithABarAndTakenAway() {
    ProgressLine line = line(true);
    line.at("devices", 0, 1_000_000);
    nowNanos += TimeUnit.MILLISECONDS.toNanos(150);
    line.at("devices", 500_000, 1_000_000);
    line.end();
    assertThat(printed())
        .isEqualTo(
            "\r"
                + "░".repeat(30)
                + " 0 of 1,000,000 devices\u001b[K\r"
                + "█".repeat(15)
                + "░".repeat(15)
                + " 500,000 of 1,000,000 devices\u001b[K\r\u001b[K");
  }

  @Test
  void elsewhereThereIsALineAtTheStartAndTheEndAndEveryTenSeconds() {
    ProgressLine line = line(false);
    for (int second = 0; second <= 25; second++) {
      line.at("devices", second, 25);
      nowNanos += TimeUnit.SECONDS.toNanos(1);
    }
    line.end();
    assertThat(printed().lines())
        .containsExactly(
            "0 of 25 devices", "10 of 25 devices", "20 of 25 devices", "25 of 25 devices");
  }
}
