package dev.beckon.server.session;

import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Update;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What {@link SessionLogic} wants done, in the order of its list. */
sealed interface Effect {

  /** Send the frame. */
  record Send(Frame frame) implements Effect {}

  /**
   * The device is admitted: make this its one session, replacing an older one. Comes once, before
   * anything is read for it.
   */
  record Admit(long wakeId, boolean push) implements Effect {}

  /** The device asked what is wanted of it, following this wake (0 = none). */
  record Inquired(long wakeId) implements Effect {}

  /**
   * Read whether the device's actions are known by this hash and, if asked, its deliverable
   * commands; then call {@link SessionLogic#onDeviceRead}.
   */
  record ReadDevice(byte[] actionsHash, boolean withCommands) implements Effect {
    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof ReadDevice r
          && withCommands == r.withCommands
          && Arrays.equals(actionsHash, r.actionsHash);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(actionsHash);
    }
  }

  /** Read the deliverable commands, then call {@link SessionLogic#onCommandsRead}. */
  record ReadCommands() implements Effect {}

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
  record KeepActions(Actions actions) implements Effect {}

  /** Take no more frames from the device until {@link ResumeReading}. */
  record PauseReading() implements Effect {}

  /** Take frames again. */
  record ResumeReading() implements Effect {}

  /** Close the connection once all that was sent is written. The last effect of a session. */
  record Close(CloseReason reason) implements Effect {}
}
