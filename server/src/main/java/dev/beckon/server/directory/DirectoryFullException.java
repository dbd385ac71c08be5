package dev.beckon.server.directory;

/** The list would become larger than devices take. */
public final class DirectoryFullException extends RuntimeException {
  private static final long serialVersionUID = 1;

  DirectoryFullException(long bytes, long maxBytes) {
    super(
        "directory: "
            + bytes
            + " bytes with this entry (expected at most "
            + maxBytes
            + "; remove servers or shorten names)");
  }
}
