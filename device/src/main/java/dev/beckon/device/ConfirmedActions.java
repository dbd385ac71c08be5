package dev.beckon.device;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Remembers across restarts which actions the server is known to know, by their hash. */
final class ConfirmedActions implements SessionLoop.ConfirmedActions {
  private final Path file;

  ConfirmedActions(Path file) {
    this.file = file;
  }

  boolean isConfirmed(ByteString hash) {
    try {
      return ByteString.copyFrom(Files.readAllBytes(file)).equals(hash);
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void confirm(ByteString hash) {
    if (isConfirmed(hash)) {
      return;
    }
    try {
      SecretFiles.replace(file, hash.toByteArray());
    } catch (IOException e) {
      // Then the device dials in once more at its next start.
    }
  }
}
