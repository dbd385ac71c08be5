package dev.beckon.device.directory;

/** A list is not believed. */
public final class DirectoryRefusedException extends Exception {
  private static final long serialVersionUID = 1;

  private final DirectoryVerdict verdict;

  DirectoryRefusedException(DirectoryVerdict verdict, String message) {
    super("directory: " + message);
    this.verdict = verdict;
  }

  /** Why, in one word. */
  public DirectoryVerdict verdict() {
    return verdict;
  }
}
