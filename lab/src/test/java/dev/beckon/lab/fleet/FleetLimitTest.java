package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
final class FleetLimitTest {
  @Test
  void longIntervalsCostAQuarterMoreForTheKeepaliveThatFollowsEveryFourth() {
    assertThat(PacedFleet.perSecond(1_000, 25)).isEqualTo(40);
    assertThat(PacedFleet.perSecond(1_000, 50)).isEqualTo(25);
  }

  @Test
  void nineTenthsOfWhatASaturatedServerTakesIsSustained() {
    Map<String, Number> figures = new LinkedHashMap<>();
    new FleetLimit(200_000).report(figures);
    assertThat(figures)
        .containsEntry("sustainedDevicesAt25Seconds", 4_500_000L)
        .containsEntry("sustainedDevicesAt60Seconds", 8_640_000L)
        .containsEntry("sustainedDevicesAt120Seconds", 17_280_000L);
  }
}
