package dev.beckon.device.command;

import dev.beckon.protocol.session.Command;
import org.jspecify.annotations.Nullable;

/** Whether the device can run a command at all. */
@FunctionalInterface
public interface ArgumentCheck {
  /** Why it cannot, as a sentence for people; null if it can. */
  @Nullable String refusal(Command command);
}
