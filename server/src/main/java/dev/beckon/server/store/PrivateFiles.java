package dev.beckon.server.store;

import java.nio.file.Path;
import java.util.Optional;

/** Files for this server's eyes only: mode 0600, in folders of mode 0700, replaced as a whole. */
public final class PrivateFiles {

  private PrivateFiles() {}

  /** Makes the folder (0700) unless it is there. */
  public static void createFolder(Path folder) {
    throw new UnsupportedOperationException(folder.toString());
  }

  /** The file's content; empty if there is no such file. */
  public static Optional<byte[]> read(Path file, int maxBytes) {
    throw new UnsupportedOperationException(file.toString() + maxBytes);
  }

  /** Replaces the file (0600): after a crash it has the old content or the new, nothing else. */
  public static void write(Path file, byte[] content) {
    throw new UnsupportedOperationException(file.toString() + content.length);
  }
}
