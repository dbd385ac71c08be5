package dev.beckon.server.udp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that receives on a socket: goes on whatever fails, and ends when it is told to. */
final class Receiving {
  /** Receives something, or fails; called again and again. */
  interface Step {
    void receive() throws IOException;
  }

  private static final Logger log = LoggerFactory.getLogger(Receiving.class);

  /**
   * A failure now and then concerns one datagram. So many on end are the socket's: say it once, and
   * do not spin.
   */
  private static final int FAILURES_BEFORE_PAUSES = 16;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** A handler's turn takes microseconds. */
  private static final Duration END_WAIT = Duration.ofSeconds(5);

  private final InetSocketAddress localAddress;
  private final LongAdder failures = new LongAdder();
  private volatile boolean ended;
  private volatile @Nullable Thread thread;

  Receiving(InetSocketAddress localAddress) {
    this.localAddress = localAddress;
  }

  void start(Step step) {
    Thread started =
        Thread.ofPlatform()
            .name(
                "udp-" + localAddress.getAddress().getHostAddress() + ":" + localAddress.getPort())
            .daemon()
            .unstarted(() -> run(step));
    thread = started;
    started.start();
  }

  private void run(Step step) {
    int failed = 0;
    while (!ended) {
      try {
        step.receive();
        failed = 0;
      } catch (IOException e) {
        if (ended) {
          return;
        }
        failures.increment();
        if (++failed == FAILURES_BEFORE_PAUSES) {
          log.error("udp {}: cannot receive; tried again every 0.1 s", localAddress, e);
        }
        pauseAfter(failed);
      } catch (RuntimeException e) { // a bug in a handler must not silence the socket
        handlerFailed(e);
      } catch (Throwable e) { // nor may an error: of memory, or of a page that cannot be read
        handlerFailed(e);
        pauseAfter(++failed);
      }
    }
  }

  private void pauseAfter(int failed) {
    if (failed >= FAILURES_BEFORE_PAUSES && !ended) {
      LockSupport.parkNanos(this, PAUSE_NANOS);
    }
  }

  /** Counts and tells it; never throws. */
  void handlerFailed(Throwable failure) {
    failures.increment();
    try {
      log.error("datagram handler failed on {}", localAddress, failure);
    } catch (Throwable e) {
      // Where memory is short, to tell of it can fail too; it was counted.
    }
  }

  boolean hasEnded() {
    return ended;
  }

  /** Whether the caller is the thread that receives. */
  boolean isCurrentThread() {
    return Thread.currentThread() == thread;
  }

  long failures() {
    return failures.sum();
  }

  /** From now on a step that fails is the last one. */
  void end() {
    ended = true;
  }

  /** Waits until no step runs any more; false if one still does, as the caller's own. */
  boolean awaitEnd() {
    Thread running = thread;
    if (running == null) {
      return true;
    }
    if (isCurrentThread()) {
      return false;
    }
    LockSupport.unpark(running);
    try {
      return running.join(END_WAIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
