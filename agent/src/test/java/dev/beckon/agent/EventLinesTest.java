package dev.beckon.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The lines are an interface: programs read them. */
class EventLinesTest {
  private final StringWriter text = new StringWriter();
  private final EventLines lines =
      new EventLines(
          new PrintWriter(text), InstantSource.fixed(Instant.parse("2026-01-01T00:00:00.120Z")));

  @Test
  void saysFirstWhoIsReady() {
    lines.ready("kitchen", Path.of("/var/lib/beckon"));
    lines.onSessionClosed(0, "idle");

    assertThat(text.toString().lines())
        .containsExactly(
            "ready device=kitchen data=/var/lib/beckon",
            "2026-01-01T00:00:00.120Z session-closed reason=idle number=0");
  }

  @Test
  void printsOneLineForEachEvent() {
    InetSocketAddress mapped = new InetSocketAddress("203.0.113.1", 40_001);
    InetSocketAddress server = new InetSocketAddress("2001:db8::1", 3478);
    lines.ready("kitchen", Path.of("d"));
    lines.onKeepaliveAnswered(mapped, server);
    lines.onMappedAddress(mapped);
    lines.onWake(7, 0xABC, Instant.parse("2026-01-01T00:01:00Z"), "accepted");
    lines.onDial(7, InetSocketAddress.createUnresolved("example.com", 5349), 0xABC);
    lines.onDialFailed(7, InetSocketAddress.createUnresolved("example.com", 5349), "timed out");
    lines.onSessionOpened(0, 0);
    lines.onCommand("01ARZ3NDEKTSV4RRFFQ69G5FAV", "run", "FAILED", "exit code: 1");
    lines.onCommand("01ARZ3NDEKTSV4RRFFQ69G5FAV", "", "UNKNOWN", "");

    assertThat(text.toString().lines().skip(1).map(line -> line.substring(25)))
        .containsExactly(
            "keepalive-answered mapped=203.0.113.1:40001 server=[2001:db8::1]:3478",
            "mapped-address mapped=203.0.113.1:40001",
            "wake id=0000000000000abc verdict=accepted deadline=2026-01-01T00:01:00.000Z number=7",
            "dial server=example.com:5349 wake=0000000000000abc number=7",
            "dial-failed server=example.com:5349 reason=\"timed out\" number=7",
            "session-opened wake=none number=0",
            "command 01ARZ3NDEKTSV4RRFFQ69G5FAV FAILED action=run reason=\"exit code: 1\"",
            "command 01ARZ3NDEKTSV4RRFFQ69G5FAV UNKNOWN");
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          plain     | plain        | a word is left alone
          Küche     | Küche        | in any language
          ''        | '""'         | nothing is seen as nothing
          a b       | '"a b"'      | white space
          say "hi"  | '"say \\"hi\\""' | quotes
          """)
  void quotesWhatNeedsIt(String value, String expected, String reason) {
    assertThat(EventLines.quoted(value)).as(reason).isEqualTo(expected);
  }

  @Test
  void letsNobodyControlTheTerminal() {
    assertThat(EventLines.quoted("a\u001b[2Jb\nc\u007f")).isEqualTo("\"a\\u001b[2Jb\\nc\\u007f\"");
    assertThat(EventLines.quoted("a\u009b2J")).as("C1").isEqualTo("\"a\\u009b2J\"");
  }
}
