package dev.beckon.server.wake;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls {@link Wakes#onTime} whenever something is due. */
public final class WakeThread implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WakeThread.class);

  /** With nothing outstanding the thread sleeps this long at a time; a request wakes it sooner. */
  private static final long IDLE_NANOS = 3_600_000_000_000L;

  /** After a failure: memory may be free again then, and the log is not flooded. */
  private static final long RETRY_NANOS = 1_000_000_000L;

  private final Wakes wakes;
  private final LongSupplier nanoClock;
  private final Thread thread;
  private volatile boolean closed;

  public WakeThread(Wakes wakes, LongSupplier nanoClock) {
    this.wakes = wakes;
    this.nanoClock = nanoClock;
    thread = Thread.ofPlatform().name("wakes").daemon().start(this::run);
    wakes.onEarlierDue(() -> LockSupport.unpark(thread));
  }

  private void run() {
    while (!closed) {
      long nowNanos = nanoClock.getAsLong();
      long waitNanos = IDLE_NANOS;
      try {
        long next = wakes.onTime(nowNanos);
        if (next != Long.MAX_VALUE) {
          waitNanos = next - nowNanos;
        }
      } catch (Throwable e) { // neither a bug with one wake nor an error may stop the others
        tell(e);
        waitNanos = RETRY_NANOS;
      }
      if (waitNanos > 0) {
        LockSupport.parkNanos(this, waitNanos);
      }
    }
  }

  private static void tell(Throwable failure) {
    try {
      log.error("wakes failed", failure);
    } catch (Throwable e) {
      // Where memory is short, to tell of it can fail too.
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
