package dev.beckon.device;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * The bodies of commands and of their results, as files: a board may have less memory than a body.
 *
 * <p>A command's body need not survive a restart (the server sends it again); a result's must.
 */
final class BodyFolder {
  private static final String COMMAND = ".command";
  private static final String RESULT = ".result";

  private final Path folder;

  BodyFolder(Path folder) {
    this.folder = folder;
  }

  /** Deletes what no remembered command needs. */
  void tidy(Set<String> remembered) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        boolean needed =
            name.endsWith(RESULT)
                && remembered.contains(name.substring(0, name.length() - RESULT.length()));
        if (!needed) {
          Files.delete(file);
        }
      }
    }
  }

  Path commandBody(String commandId) {
    return folder.resolve(commandId + COMMAND);
  }

  Path resultBody(String commandId) {
    return folder.resolve(commandId + RESULT);
  }

  /** Writes a part of a command's body; at offset 0 begins anew. */
  void append(String commandId, long offset, ByteString content) throws IOException {
    if (offset == 0) {
      SecretFiles.createFolder(folder);
      Files.deleteIfExists(commandBody(commandId));
    }
    try (FileChannel file =
        FileChannel.open(
            commandBody(commandId), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = content.asReadOnlyByteBuffer();
      long end = offset;
      while (bytes.hasRemaining()) {
        end += file.write(bytes, end);
      }
    }
  }

  /** Writes a result's body; durable on return. */
  void storeResult(String commandId, byte[] content) throws IOException {
    SecretFiles.createFolder(folder);
    SecretFiles.replace(resultBody(commandId), content);
  }

  void discard(String commandId) {
    try {
      Files.deleteIfExists(commandBody(commandId));
      Files.deleteIfExists(resultBody(commandId));
    } catch (IOException e) {
      // It goes at the next start.
    }
  }
}
