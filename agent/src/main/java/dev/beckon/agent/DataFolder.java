package dev.beckon.agent;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where a device keeps what it must not lose. */
final class DataFolder {
  private DataFolder() {}

  /** The folder that was asked for, else {@code ~/.local/share/beckon/device}. */
  static Path orDefault(@Nullable Path given) {
    if (given != null) {
      return given;
    }
    String shared = System.getenv("XDG_DATA_HOME");
    Path base =
        shared == null || shared.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".local", "share")
            : Path.of(shared);
    return base.resolve("beckon").resolve("device");
  }
}
