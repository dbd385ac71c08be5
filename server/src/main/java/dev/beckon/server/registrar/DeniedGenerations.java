package dev.beckon.server.registrar;

import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.collection.LongObjectMap;
import java.util.Map;

/**
 * The deny-list in the form that a keepalive can ask without allocation: tag → lowest generation
 * that is still allowed. Reading is lock-free; writing copies, for revocations are rare.
 */
public final class DeniedGenerations {
  private volatile LongObjectMap<Integer> minimumByTag = new LongObjectHashMap<>();

  boolean denies(long tag, int generation) {
    Integer minimum = minimumByTag.get(tag);
    return minimum != null && generation < minimum;
  }

  /** From now on only generations from {@code minimumGeneration} on are allowed. */
  public synchronized void raise(long tag, int minimumGeneration) {
    Integer before = minimumByTag.get(tag);
    if (before == null || before < minimumGeneration) {
      raiseAll(Map.of(tag, minimumGeneration));
    }
  }

  /** As {@link #raise} for many devices, with one copy for all: minimum generations by tag. */
  public synchronized void raiseAll(Map<Long, Integer> minimumGenerations) {
    LongObjectMap<Integer> copy =
        new LongObjectHashMap<>(minimumByTag.size() + minimumGenerations.size() + 1);
    copy.putAll(minimumByTag);
    minimumGenerations.forEach((tag, minimum) -> copy.merge(tag, minimum, Math::max));
    minimumByTag = copy;
  }
}
