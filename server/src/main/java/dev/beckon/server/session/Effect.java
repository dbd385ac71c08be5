package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.UnknownServer;
import dev.beckon.protocol.session.Update;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What {@link SessionLogic} wants done, in the order of its list. */
sealed interface Effect {

  /** Send the frame. */
  record Send(Frame frame) implements Effect {}

  /**
   * The device is admitted: make this its one session with that server, replacing an older one.
   * Comes once, before anything is read for it.
   *
   * @param server the number that the device means
   */
  record Admit(int server, long wakeId, boolean push) implements Effect {}

  /**
   * Send a part of the directory, and call {@link SessionLogic#onPartWritten} once it is written.
   */
  record SendPart(Frame frame) implements Effect {}

  /** The device holds this version of the directory; 0 = none. */
  record HoldsDirectory(long version) implements Effect {}

  /** The device cannot find the server of a wake in any list. */
  record NotFound(UnknownServer server) implements Effect {}

  /** The device asked what is wanted of it, following this wake (0 = none). */
  record Inquired(long wakeId) implements Effect {}

  /**
   * Read whether the device's actions are known by this hash, then call {@link
   * SessionLogic#onDeviceRead}.
   */
  record ReadDevice(ByteString actionsHash, Holding holding) implements Effect {}

  /**
   * What the device says it holds of the fleet's keys.
   *
   * @param keyId of the master key that its own comes from; 0 if it does not say
   * @param rootsHash of its CA roots
   */
  record Holding(int keyId, ByteString rootsHash) {}

  /** Make the device's new identity, then call {@link SessionLogic#onRenewed}. */
  record Renew(ByteString certificateRequest) implements Effect {}

  /**
   * Ask the store for commands to hand over, then call {@link SessionLogic#onHandedOver}.
   *
   * @param inFlight IDs that this session has handed over already
   * @param limit most commands to bring
   */
  record HandOver(Set<String> inFlight, int limit) implements Effect {}

  /** Read a part of a command's body, then call {@link SessionLogic#onBodyRead}. */
  record ReadBody(String commandId, long offset, int length) implements Effect {}

  /** Make the update durable, then call {@link SessionLogic#onStored}. */
  record Store(Update update, byte @Nullable [] resultBody) implements Effect {
    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Store s
          && update.equals(s.update)
          && Arrays.equals(resultBody, s.resultBody);
    }

    @Override
    public int hashCode() {
      return update.hashCode();
    }
  }

  /** Keep what the device can do, then call {@link SessionLogic#onActionsKept}. */
  record KeepActions(Actions actions, ByteString hash) implements Effect {}

  /** Take no more frames from the device until {@link ResumeReading}. */
  record PauseReading() implements Effect {}

  /** Take frames again. */
  record ResumeReading() implements Effect {}

  /** Close the connection once all that was sent is written. The last effect of a session. */
  record Close(CloseReason reason) implements Effect {}
}
