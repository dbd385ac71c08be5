package dev.beckon.device.directory;

import java.util.Locale;

/** What becomes of a list that a server sent. */
public enum DirectoryVerdict {
  /** It is believed, and replaces the one before. */
  ACCEPTED,
  /** The device has just this version. */
  SAME,
  /** Its version is lower than that of the list the device has: a rollback. */
  OLDER,
  /** Its signer is not the fleet's directory server, or its certificate is not valid now. */
  UNTRUSTED,
  /** The signature is not over this list. */
  FORGED,
  /** It is no list, or an entry of it is none. */
  MALFORMED,
  /** It is longer than 4 MiB. */
  TOO_LONG;

  /** In lower case, for listeners and logs. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
