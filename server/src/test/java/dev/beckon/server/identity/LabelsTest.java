package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.Database;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Finding devices by their labels, on a real database. */
class LabelsTest {
  private static final int DEVICES = 100;

  @TempDir private Path folder;
  private Database database;

  @BeforeEach
  void open() {
    database = Database.open(folder);
    // Every device is "all", every second one "even", every third one "third", one is "last".
    database
        .write(
            sql -> {
              for (int i = 0; i < DEVICES; i++) {
                DeviceTable.addIfMissing(sql, device(i), Instant.EPOCH);
                DeviceTable.enroll(sql, device(i), 1, 1, new byte[32], Instant.EPOCH);
                List<String> labels = new ArrayList<>(List.of("all"));
                if (i % 2 == 0) {
                  labels.add("even");
                }
                if (i % 3 == 0) {
                  labels.add("third");
                }
                if (i == DEVICES - 1) {
                  labels.add("last");
                }
                Labels.set(sql, device(i), labels);
              }
              return true;
            })
        .join();
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static DeviceId device(int n) {
    return new DeviceId("d" + (1000 + n));
  }

  private static SortedSet<String> chosen(String... labels) {
    return new TreeSet<>(Set.of(labels));
  }

  private Labels.Step step(SortedSet<String> labels, String after, int limit, int visits) {
    return database.read(sql -> Labels.step(sql, labels, after, limit, visits));
  }

  @Test
  void walksAlongTheLabelOfTheFewestDevices() {
    List<String> order =
        database.read(sql -> Labels.rarestFirst(sql, chosen("all", "even", "last"), ""));

    assertThat(order).containsExactly("last", "even", "all");
    Labels.Step step = step(chosen("all", "last"), "", 10, 5);
    assertThat(step.devices()).containsExactly(device(DEVICES - 1));
    assertThat(step.upTo()).as("five visits are enough").isNull();
  }

  @Test
  void aStepLooksAtABoundedNumberOfDevicesAndTheNextGoesOnBehindThem() {
    Labels.Step first = step(chosen("even", "third"), "", 10, 7);

    // 34 devices are "third": the walk is along them, 0 3 6 9 12 15 18.
    assertThat(first.devices()).containsExactly(device(0), device(6), device(12), device(18));
    assertThat(first.upTo()).isEqualTo(device(18).value());

    List<DeviceId> found = new ArrayList<>();
    String after = "";
    int steps = 0;
    for (@Nullable String upTo = ""; upTo != null; steps++) {
      after = upTo;
      Labels.Step step = step(chosen("even", "third"), after, 10, 7);
      found.addAll(step.devices());
      upTo = step.upTo();
    }
    assertThat(found).hasSize(17).isSorted().doesNotHaveDuplicates();
    assertThat(steps).isEqualTo(5);
  }

  @Test
  void aStepEndsWithItsLimit() {
    Labels.Step step = step(chosen("all"), device(9).value(), 5, 50);

    assertThat(step.devices()).first().isEqualTo(device(10));
    assertThat(step.devices()).hasSize(5);
    assertThat(step.upTo()).isEqualTo(device(14).value());
  }

  @Test
  void asksForTheLabelsOfAPageOfDevicesAtOnce() {
    List<DeviceId> page = List.of(device(0), device(1), device(99), new DeviceId("none:1"));

    Map<DeviceId, SortedSet<String>> labels = database.read(sql -> Labels.of(sql, page));

    assertThat(labels)
        .containsOnlyKeys(device(0), device(1), device(99))
        .containsEntry(device(0), chosen("all", "even", "third"))
        .containsEntry(device(99), chosen("all", "last", "third"));
    Map<DeviceId, SortedSet<String>> none = database.read(sql -> Labels.of(sql, List.of()));
    assertThat(none).isEmpty();
  }
}
