package dev.beckon.server.command;

import java.util.concurrent.CompletableFuture;

/** Where commands are posted. */
@FunctionalInterface
public interface Submitter {

  /** As {@link Commands#submit}, perhaps after more is found out about the device. */
  CompletableFuture<Submission> submit(NewCommand command);
}
