package dev.beckon.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.Mapping;
import dev.beckon.lab.Nat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** What the demo reads from its processes and writes for people. */
@NullMarked
final class DemoTextTest {

  private static final Ink PLAIN = new Ink(false);

  private static final String COMMAND =
      """
      {"id": "C1", "deviceId": "kitchen", "action": "echo", "args": {"text": "The oven is hot"},
       "state": "SUCCEEDED", "acceptedAt": "2026-01-01T00:00:00.100Z", "result": {"text": "ok"},
       "timeline": [
         {"at": "2026-01-01T00:00:00.100Z", "event": "queued", "details": {}},
         {"at": "2026-01-01T00:00:00.102Z", "event": "wake-sent", "details": {
           "serverAddress": "203.0.113.100:3478", "mappedAddress": "203.0.113.1:40001"}},
         {"at": "2026-01-01T00:00:00.103Z", "event": "wake-answered", "details": {}},
         {"at": "2026-01-01T00:00:00.120Z", "event": "session-opened", "details": {
           "from": "203.0.113.1:50002"}},
         {"at": "2026-01-01T00:00:00.125Z", "event": "finished", "details": {}}]}
      """;

  private static final List<Mapping> MAPPINGS =
      List.of(
          new Mapping(
              "tcp", "192.168.1.100:41000", "203.0.113.1:50002", "203.0.113.100:5349", 9, true));

  private static JsonNode command() throws Exception {
    return new ObjectMapper().readTree(COMMAND);
  }

  private static List<AgentLine> log(String... lines) {
    return Stream.of(lines).map(AgentLine::parse).flatMap(Optional::stream).toList();
  }

  @Test
  void tellsWhatBothEndsSawInOneOrder() throws Exception {
    Timeline timeline = new Timeline(command(), "192.168.1.100:5000", MAPPINGS);

    List<Timeline.Row> rows =
        timeline.rows(
            log(
                "2025-12-31T23:59:59.000Z wake id=1",
                "2026-01-01T00:00:00.103Z dial server=203.0.113.100:5349",
                "2026-01-01T00:00:00.103Z wake id=2",
                "2026-01-01T00:00:09.000Z wake id=3"));

    assertThat(rows)
        .containsExactly(
            new Timeline.Row(0, "server", "queued", "on the server's disk"),
            new Timeline.Row(2, "server", "wake sent", "203.0.113.100:3478 → 203.0.113.1:40001"),
            new Timeline.Row(3, "kitchen", "wake received", "at 192.168.1.100:5000"),
            new Timeline.Row(3, "server", "wake answered", ""),
            new Timeline.Row(3, "kitchen", "dials", "to 203.0.113.100:5349"),
            new Timeline.Row(
                20,
                "server",
                "session opened",
                "from 192.168.1.100:41000, seen as 203.0.113.1:50002"),
            new Timeline.Row(25, "server", "finished", ""));
  }

  @Test
  void tellsANewMappingWhereItCameAbout() throws Exception {
    Timeline timeline = new Timeline(command(), "192.168.1.100:5000", List.of());

    List<Timeline.Row> rows =
        timeline.rows(log("2026-01-01T00:00:00.110Z mapped-address mapped=203.0.113.1:40777"));

    assertThat(rows)
        .contains(
            new Timeline.Row(
                10, "kitchen", "new mapping", "192.168.1.100:5000 is now 203.0.113.1:40777"));
  }

  @Test
  void writesATimelineForPeople() throws Exception {
    Timeline timeline = new Timeline(command(), "192.168.1.100:5000", MAPPINGS);

    assertThat(new TimelineText(PLAIN).lines(command(), "push", timeline.rows(List.of())))
        .containsExactly(
            "  kitchen ◄ echo text=\"The oven is hot\" (push)",
            "         0 ms  server  queued          on the server's disk",
            "         2 ms  server  wake sent       203.0.113.100:3478 → 203.0.113.1:40001",
            "         3 ms  server  wake answered",
            "        20 ms  server  session opened"
                + "  from 192.168.1.100:41000, seen as 203.0.113.1:50002",
            "        25 ms  server  finished",
            "               SUCCEEDED  text=ok");
  }

  @Test
  void coloursOnlyOnTerminals() {
    assertThat(new Ink(true).good("fine")).isEqualTo("\u001b[32mfine\u001b[0m");
    assertThat(PLAIN.good("fine")).isEqualTo("fine");
  }

  @Test
  void readsTheAgentsLines() {
    assertThat(
            AgentLine.parse(
                "2026-01-01T00:00:00.123Z keepalive-answered mapped=203.0.113.1:40001 odd"))
        .hasValueSatisfying(
            line -> {
              assertThat(line.event()).isEqualTo("keepalive-answered");
              assertThat(line.details()).containsOnly(entry("mapped", "203.0.113.1:40001"));
            });
    assertThat(AgentLine.parse("ready device=kitchen data=/tmp/x")).isEmpty();
    assertThat(AgentLine.parse("")).isEmpty();
  }

  private static java.util.Map.Entry<String, String> entry(String key, String value) {
    return java.util.Map.entry(key, value);
  }

  @Test
  void readsTheServersReadyLine() {
    assertThat(
            ReadyLine.parse(
                "ready udp=203.0.113.100:3478,203.0.113.200:3478 tls=203.0.113.100:5349"
                    + " http=127.0.0.1:8080 data=/tmp/data"))
        .isEqualTo(new ReadyLine("203.0.113.100:3478", "203.0.113.100:5349", "127.0.0.1:8080"));
    assertThatThrownBy(() -> ReadyLine.parse("ready for nothing"))
        .hasMessageContaining("ready for nothing");
  }

  @Test
  void drawsTheNetworkWithItsAddresses() {
    assertThat(
            Picture.nat(
                Demo.NAMES,
                List.of("192.168.1.100", "192.168.2.100"),
                Nat.SYMMETRIC,
                "203.0.113.1",
                List.of("203.0.113.100", "203.0.113.101", "203.0.113.102"),
                PLAIN))
        .containsExactly(
            "  kitchen    192.168.1.100 ─┐ "
                + "                               ┌─ rendezvous server  203.0.113.100",
            "                            ├─ NAT (symmetric) 203.0.113.1 ──"
                + "┼─ application server 203.0.113.101",
            "  printer    192.168.2.100 ─┘ "
                + "                               └─ directory server   203.0.113.102");
  }

  @Test
  void saysWhatToTryNextInCommandsThatCanBeCopied() {
    assertThat(
            TryNext.lines(
                "./beckon",
                "http://127.0.0.1:4711",
                Path.of("/tmp/x/admin.token"),
                Demo.NAMES,
                PLAIN))
        .contains(
            "  export BECKON_SERVER=http://127.0.0.1:4711 BECKON_TOKEN=$(cat /tmp/x/admin.token)",
            "  ./beckon send printer echo text=hi --wait");
  }
}
