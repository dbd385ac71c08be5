package dev.beckon.server.registrar;

import org.jspecify.annotations.Nullable;

/** Finds master keys by their ID. */
@FunctionalInterface
public interface MasterKey {
  /** The 32 bytes of the key, not copied; null if there is no such key, or not any more. */
  byte @Nullable [] byId(int keyId);
}
