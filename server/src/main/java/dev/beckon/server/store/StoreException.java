package dev.beckon.server.store;

import org.jspecify.annotations.Nullable;

/**
 * The data folder, or a file in it, cannot be used. The message is for people and complete: what,
 * why, and what to do. Nothing was overwritten.
 */
public final class StoreException extends RuntimeException {

  public StoreException(String message) {
    this(message, null);
  }

  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
