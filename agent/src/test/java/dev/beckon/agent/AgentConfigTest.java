package dev.beckon.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.agent.action.Program;
import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Delivery;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentConfigTest {
  @Test
  void readsEverythingItKnows() throws ConfigException {
    AgentConfig config =
        AgentConfig.parse(
            "agent.yaml",
            """
            delivery: inquiry
            interval: 40s
            one-way-keepalives: true
            values:
              volume: {type: integer, minimum: 0, maximum: 100, initial: 30}
              name: {description: shown to guests}
            programs:
              ping:
                command: [ping, -c, '{count}', '{host}']
                parameters:
                  count: {type: integer, minimum: 1, maximum: 9, optional: true}
                  host: {one-of: [gateway, server]}
                time-limit: 10s
                folder: /tmp
            """);

    assertThat(config.delivery()).isEqualTo(Delivery.INQUIRY);
    assertThat(config.interval()).isEqualTo(Duration.ofSeconds(40));
    assertThat(config.oneWayKeepalives()).isTrue();
    assertThat(config.actions().values()).containsOnlyKeys("volume", "name");
    assertThat(config.actions().programs()).containsOnlyKeys("ping");
    Program ping = config.actions().programs().values().iterator().next();
    assertThat(ping.timeLimit()).isEqualTo(Duration.ofSeconds(10));
    assertThat(ping.folder()).isEqualTo(Path.of("/tmp"));
    assertThat(ping.parameters()).containsOnlyKeys("count", "host");
  }

  @Test
  void readsTheExampleOfTheDocumentation() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "AGENT.md"));
    int start = page.indexOf("```yaml\n") + 8;

    AgentConfig config =
        AgentConfig.parse("AGENT.md", page.substring(start, page.indexOf("```", start)));

    assertThat(config.interval()).isEqualTo(Duration.ofSeconds(25));
    assertThat(config.actions().programs()).isNotEmpty();
  }

  @Test
  void anEmptyFileMeansTheDefaults() throws ConfigException {
    assertThat(AgentConfig.parse("agent.yaml", "")).isEqualTo(AgentConfig.EMPTY);
    assertThat(AgentConfig.parse("agent.yaml", "# nothing\n")).isEqualTo(AgentConfig.EMPTY);
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          intervall: 25s                       | a.yaml:1: intervall: unknown key (expected interval?)
          interval: 25s;deliver: push          | a.yaml:2: deliver: unknown key (expected delivery?)
          colour: red                          | a.yaml:1: colour: unknown key (expected one of delivery, interval
          interval: 25                         | a.yaml:1: interval: 25 (expected a number with ms, s, m or h
          security: off                        | a.yaml:1: security: off (expected mutual, server or none)
          delivery: pull                       | a.yaml:1: delivery: pull (expected push or inquiry)
          interval: 1s;interval: 2s            | a.yaml:2: interval: again (expected once)
          one-way-keepalives: maybe            | a.yaml:1: one-way-keepalives: maybe (expected true or false)
          values: 3                            | a.yaml:1: a value (expected keys with values)
          values: {v: {typ: integer}}          | a.yaml:1: typ: unknown key (expected type?)
          values: {v: {type: int}}             | a.yaml:1: type: int (expected text, integer, number or flag)
          values: {v: {minimum: 3}}            | a.yaml:1: v: half a range (expected minimum and maximum)
          values: {v: {type: integer, minimum: 0, maximum: 1, initial: 2}} | initial: v: 2 (expected an integer from 0 to 1)
          values: {v: {type: integer, minimum: 2, maximum: 1}} | v: v: 2.0 to 1.0 (expected a range
          programs: {p: {}}                    | a.yaml:1: p: no command (expected command: [PROGRAM, ARGUMENT…])
          programs: {p: {command: ls}}         | a.yaml:1: command: one value (expected a list: [ … ])
          programs: {p: {command: ['{x}']}}    | command: {x} (expected one of the parameters [])
          programs: {p: {command: [ls], parameters: {program: {}}}} | program: taken (expected another name)
          programs: {p: {command: ['{x}'], parameters: {x: {}}}}    | command: {x} (expected a fixed program)
          [a, b]                               | a.yaml:1: a value (expected keys with values)
          'a: [1, 2'                           | no YAML
          """)
  void saysWhatIsWrongAndWhere(String yaml, String message) {
    assertThatThrownBy(() -> AgentConfig.parse("a.yaml", yaml.replace(';', '\n')))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }

  @Test
  void saysThatThereIsNoFile(@TempDir Path folder) {
    assertThatThrownBy(() -> AgentConfig.read(folder.resolve("agent.yaml")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("there is none");
  }
}
