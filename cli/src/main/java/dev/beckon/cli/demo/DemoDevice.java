package dev.beckon.cli.demo;

import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** One device of the demo and what its agent says. */
final class DemoDevice {

  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final String name;
  private final int number;
  private final String delivery;
  private final LabProcess agent;

  DemoDevice(String name, int number, String delivery, LabProcess agent) {
    this.name = name;
    this.number = number;
    this.delivery = delivery;
    this.agent = agent;
  }

  String name() {
    return name;
  }

  int number() {
    return number;
  }

  String delivery() {
    return delivery;
  }

  LabProcess agent() {
    return agent;
  }

  /** Waits until this many keepalives were answered in all; the last of these lines. */
  AgentLine awaitAnswers(int count) {
    int position = 0;
    String line = "";
    for (int i = 0; i < count; i++) {
      line = agent.awaitFrom(position, "answered keepalive", DemoDevice::answered, PATIENCE);
      position = agent.lines().indexOf(line) + 1;
    }
    return AgentLine.parse(line).orElseThrow();
  }

  private static boolean answered(String line) {
    return AgentLine.parse(line).filter(l -> l.event().equals("keepalive-answered")).isPresent();
  }

  /** All that the agent has said and that could be read. */
  List<AgentLine> log() {
    return agent.lines().stream().map(AgentLine::parse).flatMap(Optional::stream).toList();
  }

  /** The mapped address that the server saw last. */
  String mapped() {
    return log().stream()
        .filter(l -> l.event().equals("keepalive-answered"))
        .reduce((_, last) -> last)
        .map(l -> l.details().getOrDefault("mapped", ""))
        .orElse("");
  }

  /** The address:port of its own UDP socket: what the router, or else the agent, says. */
  String inner(List<Mapping> mappings) {
    String mapped = mapped();
    return mappings.stream()
        .filter(m -> m.protocol().equals("udp") && m.mapped().equals(mapped))
        .map(Mapping::inner)
        .findFirst()
        .orElseGet(this::socket);
  }

  private String socket() {
    return log().stream()
        .filter(l -> l.event().equals("socket"))
        .reduce((_, last) -> last)
        .map(l -> l.details().getOrDefault("local", ""))
        .orElseGet(this::mapped);
  }
}
