package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;

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
  void tidy(Set<CommandKey> remembered) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    Set<Path> needed = remembered.stream().map(this::resultBody).collect(Collectors.toSet());
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        if (!needed.contains(file)) {
          Files.delete(file);
        }
      }
    }
  }

  Path commandBody(CommandKey key) {
    return folder.resolve(name(key) + COMMAND);
  }

  Path resultBody(CommandKey key) {
    return folder.resolve(name(key) + RESULT);
  }

  /** Writes a part of a command's body; at offset 0 begins anew. */
  void append(CommandKey key, long offset, ByteString content) throws IOException {
    if (offset == 0) {
      SecretFiles.createFolder(folder);
      Files.deleteIfExists(commandBody(key));
    }
    try (FileChannel file = SecretFiles.open(commandBody(key))) {
      ByteBuffer bytes = content.asReadOnlyByteBuffer();
      long end = offset;
      while (bytes.hasRemaining()) {
        end += file.write(bytes, end);
      }
    }
  }

  /** Writes a result's body; durable on return. */
  void storeResult(CommandKey key, byte[] content) throws IOException {
    SecretFiles.createFolder(folder);
    SecretFiles.replace(resultBody(key), content);
  }

  /** Deletes the body of a command that was run: nobody needs it any more. */
  void discardCommandBody(CommandKey key) {
    try {
      Files.deleteIfExists(commandBody(key));
    } catch (IOException e) {
      // It goes with the receipt, or at the next start.
    }
  }

  void discard(CommandKey key) {
    discardCommandBody(key);
    try {
      Files.deleteIfExists(resultBody(key));
    } catch (IOException e) {
      // It goes at the next start.
    }
  }

  private static String name(CommandKey key) {
    return key.server() == 0 ? key.commandId() : key.server() + "-" + key.commandId();
  }
}
