package dev.beckon.server.registrar;

import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.collection.LongObjectMap;

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
    LongObjectMap<Integer> copy = new LongObjectHashMap<>(minimumByTag.size() + 1);
    copy.putAll(minimumByTag);
    Integer before = copy.get(tag);
    if (before == null || before < minimumGeneration) {
      copy.put(tag, (Integer) minimumGeneration);
    }
    minimumByTag = copy;
  }
}
