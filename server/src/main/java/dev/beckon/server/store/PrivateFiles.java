package dev.beckon.server.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Files for this server's eyes only: mode 0600, in folders of mode 0700, replaced as a whole. */
public final class PrivateFiles {

  private static final String ADVICE =
      "change the folder's owner or mode, or choose another one with --data";

  private PrivateFiles() {}

  /**
   * Makes the folder (0700) unless it is there.
   *
   * @throws StoreException if it cannot be made
   */
  public static void createFolder(Path folder) {
    try {
      if (Files.isDirectory(folder)) {
        return;
      }
      Files.createDirectories(folder, attributes(folder, "rwx------"));
      Path parent = folder.toAbsolutePath().getParent();
      if (parent != null) {
        sync(parent);
      }
    } catch (FileAlreadyExistsException e) {
      throw new StoreException("data: " + folder + " (a file; expected a folder)", e);
    } catch (IOException e) {
      throw notWritable(folder, e);
    }
  }

  /**
   * The file's content; empty if there is no such file.
   *
   * @throws StoreException if it cannot be read or is longer than {@code maxBytes}
   */
  public static Optional<byte[]> read(Path file, int maxBytes) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(maxBytes + 1);
      if (content.length > maxBytes) {
        throw damaged(file, "longer than " + maxBytes + " bytes", null);
      }
      return Optional.of(content);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new StoreException(
          file
              + ": cannot be read: "
              + reason(e)
              + " (make it readable for this user; it was left"
              + " as it is)",
          e);
    }
  }

  /**
   * Replaces the file (0600): after a crash it has the old content or the new, nothing else. On
   * return the content is on disk.
   *
   * @throws StoreException if it cannot be written; the old content stays
   */
  public static void write(Path file, byte[] content) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new IllegalArgumentException("file: " + file + " (expected in a folder)");
    }
    Path fresh = folder.resolve("." + file.getFileName() + ".new");
    try {
      Files.deleteIfExists(fresh);
      try (FileChannel channel =
          FileChannel.open(
              fresh,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              attributes(folder, "rw-------"))) {
        ByteBuffer rest = ByteBuffer.wrap(content);
        while (rest.hasRemaining()) {
          channel.write(rest);
        }
        channel.force(true);
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      sync(folder);
    } catch (IOException e) {
      throw new StoreException(
          file + ": cannot be written: " + reason(e) + " (free some space, or " + ADVICE + ")", e);
    }
  }

  /**
   * Makes an empty file (0600), in place of any that is there. Nothing is forced to the disk.
   *
   * @throws StoreException if it cannot be made
   */
  public static void createEmpty(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new IllegalArgumentException("file: " + file + " (expected in a folder)");
    }
    try {
      Files.deleteIfExists(file);
      Files.createFile(file, attributes(folder, "rw-------"));
    } catch (IOException e) {
      throw new StoreException(
          file + ": cannot be made: " + reason(e) + " (free some space, or " + ADVICE + ")", e);
    }
  }

  /** Puts a folder's entries on disk: without it a new name in it may be gone after a power cut. */
  private static void sync(Path folder) throws IOException {
    try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  /** The one message about a file whose content cannot be right. */
  public static StoreException damaged(Path file, String why, @Nullable Throwable cause) {
    return new StoreException(
        file + ": damaged: " + why + " (restore it from a backup; nothing was overwritten)", cause);
  }

  static StoreException notWritable(Path folder, IOException cause) {
    return new StoreException(
        "data: " + folder + " (not writable: " + reason(cause) + "; " + ADVICE + ")", cause);
  }

  /** The system's own words; without them the kind of failure, which then says it all. */
  private static String reason(IOException e) {
    if (e instanceof FileSystemException fileSystem && fileSystem.getReason() != null) {
      return fileSystem.getReason();
    }
    return switch (e) {
      case AccessDeniedException _ -> "permission denied";
      case NoSuchFileException _ -> "no such folder";
      default -> e.getClass().getSimpleName() + ": " + e.getMessage();
    };
  }

  private static FileAttribute<?>[] attributes(Path folder, String mode) {
    return folder.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))
        }
        : new FileAttribute<?>[0];
  }
}
