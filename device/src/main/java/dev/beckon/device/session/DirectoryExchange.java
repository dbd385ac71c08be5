package dev.beckon.device.session;

import dev.beckon.device.directory.DirectoryParts;
import dev.beckon.protocol.session.DirectoryPart;
import dev.beckon.protocol.session.DirectoryRequest;
import dev.beckon.protocol.session.Frame;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What goes on about the directory in one session: the version that the device has goes out in
 * Hello or in a request, parts of a newer list come in.
 *
 * <p>Knows no clock. Not thread-safe.
 */
final class DirectoryExchange {
  private final LongSupplier heldVersion;
  private final long answerNanos;
  private final DirectoryParts parts = new DirectoryParts();
  private boolean wanted;
  private long dueNanos; // meaningful while wanted and open, or under way

  /**
   * @param heldVersion of the list that the device has; 0 if none
   * @param answerNanos how long the server may let the next part wait
   */
  DirectoryExchange(LongSupplier heldVersion, long answerNanos) {
    this.heldVersion = heldVersion;
    this.answerNanos = answerNanos;
  }

  long heldVersion() {
    return heldVersion.getAsLong();
  }

  /** Whether a list is wanted that the server has not sent, and not said that it has none. */
  boolean isWanted() {
    return wanted;
  }

  boolean isUnderWay() {
    return parts.isUnderWay();
  }

  /** A list is wanted; Hello, which is still to come, says so. */
  void want() {
    wanted = true;
  }

  /** A list is wanted in the open session. */
  void request(List<SessionEffect> effects, long nowNanos) {
    wanted = true;
    dueNanos = nowNanos + answerNanos;
    DirectoryRequest request =
        DirectoryRequest.newBuilder().setVersion((int) heldVersion()).build();
    effects.add(new SessionEffect.Send(Frame.newBuilder().setDirectoryRequest(request).build()));
  }

  /** Welcome told which list the server has: a newer one follows by itself. */
  void onWelcome(List<SessionEffect> effects, long serverVersion, long nowNanos) {
    if (serverVersion > heldVersion()) {
      dueNanos = nowNanos + answerNanos;
    } else {
      done(effects);
    }
  }

  /**
   * @throws IllegalArgumentException if the part is out of place
   */
  void onPart(List<SessionEffect> effects, DirectoryPart part, long nowNanos) {
    dueNanos = nowNanos + answerNanos;
    if (part.getTotalBytes() == 0) {
      done(effects);
      return;
    }
    byte[] whole = parts.onPart(part);
    if (whole != null) {
      effects.add(
          new SessionEffect.Directory(
              Integer.toUnsignedLong(part.getVersion()), whole, parts.isTooLong()));
      done(effects);
    }
  }

  /** Whether the server lets the list wait for too long. */
  boolean isLate(long nowNanos) {
    return (wanted || isUnderWay()) && dueNanos - nowNanos <= 0;
  }

  private void done(List<SessionEffect> effects) {
    if (wanted) {
      wanted = false;
      effects.add(new SessionEffect.Pulled());
    }
  }
}
