package dev.beckon.lab.fleet;

/** Is told how far long work has come, about ten times a second at most. Returns quickly. */
@FunctionalInterface
public interface Progress {
  /**
   * So much is done.
   *
   * @param what is done, in two or three words
   * @param done of {@code total}, from 0
   */
  void at(String what, long done, long total);
}
