package dev.beckon.cli;

import dev.beckon.cli.terminal.Ink;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The figures of a simulation as people read them. */
final class SimulationReport {

  private final Map<String, Number> figures;
  private final Ink ink;
  private final List<String> lines = new ArrayList<>();

  private SimulationReport(Map<String, Number> figures, Ink ink) {
    this.figures = figures;
    this.ink = ink;
  }

  /**
   * One line for each thing.
   *
   * @param title what was simulated
   */
  static List<String> lines(String title, Map<String, Number> figures, Ink ink) {
    SimulationReport report = new SimulationReport(figures, ink);
    report.lines.add(ink.bold(title));
    report.limit();
    report.load();
    report.wakes();
    report.server();
    return report.lines;
  }

  private void limit() {
    if (has("saturatedTakenPerSecond")) {
      line(
          "saturated",
          count("saturatedTakenPerSecond")
              + " per second, "
              + decimal("saturatedLossPercent")
              + " % lost");
      line(
          "sustained",
          count("sustainedDevicesAt25Seconds")
              + " devices at 25 s, "
              + count("sustainedDevicesAt60Seconds")
              + " at 60 s, "
              + count("sustainedDevicesAt120Seconds")
              + " at 120 s");
      line("proven with", count("provenDevices") + " devices:");
    }
  }

  private void load() {
    if (has("devicesSetUp")) {
      line("set up", count("devicesSetUp") + " devices in " + decimal("setUpSeconds") + " s");
    }
    line("measured", decimal("measuredSeconds") + " s");
    line("sent", count("sentPerSecond") + " per second");
    if (has("takenPerSecond")) {
      line("taken", count("takenPerSecond") + " per second");
    }
    line("answered", count("answeredPerSecond") + " per second");
    line("lost", decimal("lossPercent") + " %" + repeated());
    if (has("latencyMicrosP50")) {
      line(
          "latency, ms",
          "p50 %s  p90 %s  p99 %s  p99.9 %s  max %s"
              .formatted(
                  millis("latencyMicrosP50"),
                  millis("latencyMicrosP90"),
                  millis("latencyMicrosP99"),
                  millis("latencyMicrosP999"),
                  millis("latencyMicrosMax")));
    }
    line("simulator", decimal("generatorIdlePercent") + " % idle");
  }

  private String repeated() {
    return has("repeated")
        ? " (" + count("repeated") + " sent again, " + count("unanswered") + " never answered)"
        : "";
  }

  private void wakes() {
    if (has("wakes")) {
      line(
          "wakes",
          count("wakes")
              + " acted on, "
              + count("wakesRepeated")
              + " repeated, "
              + count("wakesRefused")
              + " refused");
    }
    if (has("commandsAccepted")) {
      line(
          "commands",
          count("commandsAccepted")
              + " accepted, "
              + count("commandsConfirmed")
              + " run and confirmed; "
              + count("sessionsDialled")
              + " sessions, "
              + count("sessionFailures")
              + " failed");
    }
    for (String name : List.of("unprovenAnswers", "staleAnswers", "forgedAnswers")) {
      if (has(name) && number(name).longValue() > 0) {
        line("unexpected", ink.bad(count(name) + " " + name));
      }
    }
  }

  private void server() {
    if (has("serverResidentBytes")) {
      line(
          "server",
          String.format(
              Locale.ROOT,
              "%,d MB resident, %,d MB of it files; %s %% of a processor",
              number("serverResidentBytes").longValue() / 1_000_000,
              number("serverFileBytes").longValue() / 1_000_000,
              decimal("serverCpuPercent")));
    }
  }

  private void line(String name, String value) {
    lines.add(String.format(Locale.ROOT, "  %-12s %s", name, value));
  }

  private boolean has(String name) {
    return figures.containsKey(name);
  }

  private Number number(String name) {
    return figures.getOrDefault(name, 0);
  }

  private String count(String name) {
    return String.format(Locale.ROOT, "%,d", number(name).longValue());
  }

  private String decimal(String name) {
    return number(name).toString();
  }

  private String millis(String name) {
    return String.format(Locale.ROOT, "%.2f", number(name).doubleValue() / 1000);
  }
}
