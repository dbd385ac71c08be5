package dev.beckon.device;

import dev.beckon.device.directory.Directory;
import dev.beckon.device.directory.DirectoryCheck;
import dev.beckon.device.directory.DirectoryRefusedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * The last good directory on the disk, twice: when one file is damaged the other still tells which
 * version the device must not go back from.
 *
 * <pre>
 *   file  "BKD1" | SHA-256 of what follows 32 | serialized SignedDirectory
 * </pre>
 *
 * <p>The list was judged when it came. When it is read again only damage is looked for: who can
 * write these files has the device's private key, which lies beside them.
 */
final class DirectoryFile {
  private static final byte[] MAGIC = "BKD1".getBytes(StandardCharsets.US_ASCII);
  private static final int DIGEST_BYTES = 32;
  private static final int HEAD_BYTES = MAGIC.length + DIGEST_BYTES;

  private final Path first;
  private final Path second;

  /**
   * @param folder the device's data folder
   */
  DirectoryFile(Path folder) {
    this.first = folder.resolve("directory");
    this.second = folder.resolve("directory.copy");
  }

  /** The newest list that can be read; {@link Directory#NONE} if there is none. */
  Directory load() {
    Directory one = load(first);
    Directory other = load(second);
    return other.version() > one.version() ? other : one;
  }

  /** Replaces the list; durable on return. A power cut leaves this one or the one before. */
  void store(byte[] signed) throws IOException {
    byte[] content =
        ByteBuffer.allocate(HEAD_BYTES + signed.length)
            .put(MAGIC)
            .put(digest(signed))
            .put(signed)
            .array();
    SecretFiles.replace(first, content);
    SecretFiles.replace(second, content);
  }

  /** Forgets the list: the device has another identity now, perhaps in another fleet. */
  void delete() throws IOException {
    Files.deleteIfExists(first);
    Files.deleteIfExists(second);
  }

  private static Directory load(Path file) {
    try {
      byte[] content = Files.readAllBytes(file);
      if (content.length < HEAD_BYTES) {
        return Directory.NONE;
      }
      byte[] signed = Arrays.copyOfRange(content, HEAD_BYTES, content.length);
      boolean whole =
          Arrays.equals(MAGIC, Arrays.copyOf(content, MAGIC.length))
              && Arrays.equals(
                  digest(signed), Arrays.copyOfRange(content, MAGIC.length, HEAD_BYTES));
      return whole ? DirectoryCheck.reread(signed) : Directory.NONE;
    } catch (NoSuchFileException e) {
      return Directory.NONE;
    } catch (IOException | DirectoryRefusedException e) {
      System.getLogger("dev.beckon.device")
          .log(System.Logger.Level.WARNING, "directory: " + file + " cannot be read", e);
      return Directory.NONE;
    }
  }

  private static byte[] digest(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
