package dev.beckon.server.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The deny-list of an application server, on a real database. */
final class DenyListTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");

  @TempDir private Path folder;

  private Database database;
  private DenyList denyList;

  @BeforeEach
  void open() {
    database = Database.open(folder);
    denyList = new DenyList(database);
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void refuseWrites() {
    database
        .write(
            sql ->
                sql.update(
                    "CREATE TRIGGER refuse BEFORE INSERT ON deny_list BEGIN SELECT RAISE(FAIL,"
                        + " 'refused'); END"))
        .join();
  }

  private void takeWrites() {
    database.write(sql -> sql.update("DROP TRIGGER refuse")).join();
  }

  @Test
  void shutsOutWhatItWasToldOfAlsoWhileTheDatabaseTakesNoWrites() {
    List<String> told = new ArrayList<>();
    denyList.onRaised((id, minimum) -> told.add(id + " " + minimum));
    refuseWrites();

    assertThat(denyList.raiseAll(Map.of("kitchen", 3))).failsWithin(Duration.ofSeconds(30));

    assertThat(denyList.denies("kitchen", 2)).isTrue();
    assertThat(told).containsExactly("kitchen 3");
  }

  @Test
  void keepsAtTheNextAttemptWhatCouldNotBeKept() {
    refuseWrites();
    assertThat(denyList.raiseAll(Map.of("kitchen", 3))).failsWithin(Duration.ofSeconds(30));
    takeWrites();

    denyList.raiseAll(Map.of("kitchen", 3)).join();

    assertThat(new DenyList(database).denies("kitchen", 2)).isTrue();
  }

  @Test
  void writesAndTellsOnlyWhatIsNew() {
    denyList.raise(KITCHEN, 3).join();
    List<String> told = new ArrayList<>();
    denyList.onRaised((id, minimum) -> told.add(id + " " + minimum));
    told.clear(); // of what is listed by now

    denyList.raiseAll(Map.of("kitchen", 2, "hall", 1)).join();

    assertThat(told).containsExactly("hall 1");
    assertThat(new DenyList(database).entries()).isEqualTo(Map.of("kitchen", 3, "hall", 1));
  }
}
