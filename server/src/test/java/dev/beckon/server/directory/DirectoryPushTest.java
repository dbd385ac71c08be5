package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.server.store.Database;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of a push is kept, on a real store. */
final class DirectoryPushTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");

  private static final DirectoryPush.Waking NOBODY =
      new DirectoryPush.Waking() {
        @Override
        public void wake(DeviceId id, long lifeMillis) {}

        @Override
        public void served(DeviceId id) {}
      };

  @TempDir private Path folder;

  private static void change(Database database, String statement) {
    database.write(sql -> sql.update(statement)).join();
  }

  @Test
  void keepsWhatDevicesToldOnceTheDatabaseTakesItAgain() {
    try (Database database = Database.open(folder)) {
      Directory directory = new Directory(database);
      change(
          database,
          "INSERT INTO devices (id, generation, state, added_at) VALUES ('kitchen', 1,"
              + " 'ENROLLED', 0)");
      directory
          .keep(
              new SignedList(
                  7,
                  java.time.Instant.EPOCH,
                  java.util.List.of(DirectoryEntry.getDefaultInstance()),
                  com.google.protobuf.ByteString.copyFromUtf8("list")))
          .join();
      DirectoryPush push = new DirectoryPush(database, directory, id -> false, NOBODY, () -> 0);
      push.holds(KITCHEN, 7);
      change(database, "ALTER TABLE devices RENAME TO away");

      push.onTime();

      change(database, "ALTER TABLE away RENAME TO devices");
      assertThat(push.upToDate()).isZero();
      push.onTime();
      assertThat(push.upToDate()).isEqualTo(1);
    }
  }
}
