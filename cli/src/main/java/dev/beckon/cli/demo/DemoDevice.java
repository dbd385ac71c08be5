package dev.beckon.cli.demo;

import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** One device of the demo and what its agent says. */
final class DemoDevice {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

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

  /** Waits until every session that was opened is closed, one at least. */
  void awaitSessionsEnd() {
    int position = 0;
    do {
      agent.awaitFrom(position, "session-closed", l -> is(l, "session-closed"), PATIENCE);
      position = agent.position();
    } while (count("session-opened") > count("session-closed"));
  }

  /** Waits until it has this version of the directory, or a later one; when it got it. */
  Instant awaitDirectory(long version) {
    return AgentLine.parse(
            agent.await("directory " + version, l -> isDirectory(l, version), PATIENCE))
        .map(AgentLine::at)
        .orElseThrow();
  }

  private static boolean isDirectory(String line, long version) {
    return AgentLine.parse(line)
        .filter(l -> l.event().equals("directory"))
        .map(AgentLine::details)
        .filter(details -> "accepted".equals(details.get("verdict")))
        .filter(details -> Long.parseLong(details.getOrDefault("version", "0")) >= version)
        .isPresent();
  }

  private long count(String event) {
    return agent.lines().stream().filter(line -> is(line, event)).count();
  }

  private static boolean is(String line, String event) {
    return AgentLine.parse(line).filter(l -> l.event().equals(event)).isPresent();
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
