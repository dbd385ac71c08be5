package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
final class ProcessFiguresTest {
  private static final String STAT =
      "4711 (a name) with) S 1 4711 4711 0 -1 4194560 1 2 3 4 250 150 0 0 20 0 30 0 99 1 2 3";

  @Test
  void readsTimesBehindANameWithParenthesesAndMemoryInKilobytes() {
    ProcessFigures figures =
        ProcessFigures.parse(
            STAT, List.of("Name:\tx", "VmRSS:\t  1000 kB", "RssFile:\t 600 kB", "RssShmem:\t4 kB"));
    assertThat(figures).isEqualTo(new ProcessFigures(4000, 1000 * 1024, 604 * 1024));
  }

  @Test
  void reportsTheShareOfAProcessorMeanwhile() {
    Map<String, Number> report = new LinkedHashMap<>();
    new ProcessFigures(3500, 2048, 1024).report(new ProcessFigures(1000, 0, 0), 5000, report);
    assertThat(report)
        .containsEntry("serverCpuPercent", 50.0)
        .containsEntry("serverResidentBytes", 2048L)
        .containsEntry("serverFileBytes", 1024L);
  }

  @Test
  void seesThisProcess() throws Exception {
    ProcessFigures figures = ProcessFigures.of(ProcessHandle.current().pid());
    assertThat(figures.residentBytes()).isGreaterThan(10_000_000);
  }
}
