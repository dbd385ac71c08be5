package dev.beckon.device.directory;

import dev.beckon.protocol.session.DirectoryPart;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Puts the parts of a signed list together. Holds no more memory than what has come, and nothing of
 * a list that is too long.
 *
 * <p>Not thread-safe; one per session.
 */
public final class DirectoryParts {
  private static final int MAX_PART_BYTES = 32_768;

  private final ByteArrayOutputStream content = new ByteArrayOutputStream();
  private long version;
  private long totalBytes;
  private long nextOffset;

  /** Whether a list has begun and is not whole. */
  public boolean isUnderWay() {
    return nextOffset > 0;
  }

  /** Whether the list that the last part belongs to is longer than a device takes. */
  public boolean isTooLong() {
    return totalBytes > DirectoryCheck.MAX_BYTES;
  }

  /**
   * Takes the next part; one at offset 0 begins a list.
   *
   * @return the whole list behind its last part, empty if it is {@linkplain #isTooLong too long};
   *     null before
   * @throws IllegalArgumentException if the part is out of place
   */
  public byte @Nullable [] onPart(DirectoryPart part) {
    long offset = Integer.toUnsignedLong(part.getOffset());
    if (offset == 0) {
      content.reset();
      version = Integer.toUnsignedLong(part.getVersion());
      totalBytes = Integer.toUnsignedLong(part.getTotalBytes());
      nextOffset = 0;
    }
    int length = part.getContent().size();
    if (offset != nextOffset
        || length == 0
        || length > MAX_PART_BYTES
        || offset + length > totalBytes
        || Integer.toUnsignedLong(part.getTotalBytes()) != totalBytes
        || Integer.toUnsignedLong(part.getVersion()) != version) {
      throw new IllegalArgumentException("a part of the directory out of place");
    }
    nextOffset += length;
    if (!isTooLong()) {
      content.writeBytes(part.getContent().toByteArray());
    }
    if (nextOffset < totalBytes) {
      return null;
    }
    nextOffset = 0;
    byte[] whole = content.toByteArray();
    content.reset();
    return whole;
  }
}
