package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/** The devices whose older generations are shut out. */
public final class DenyList {

  DenyList() {}

  public boolean denies(String deviceId, int generation) {
    throw new UnsupportedOperationException();
  }

  public CompletableFuture<Void> raise(DeviceId id, int minimumGeneration) {
    throw new UnsupportedOperationException();
  }

  public void onRaised(BiConsumer<DeviceId, Integer> listener) {
    throw new UnsupportedOperationException();
  }
}
