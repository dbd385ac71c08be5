package dev.beckon.server.directory;

import dev.beckon.protocol.session.DirectoryEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Whoever holds number 65,535: gives a list its version and its signature. */
@FunctionalInterface
public interface ListSigner {

  /**
   * Has these entries signed as the next version. Completes when {@link Directory} holds the list;
   * that may take as long as the signer is away.
   *
   * @param entries by number
   */
  CompletableFuture<SignedList> sign(List<DirectoryEntry> entries);
}
