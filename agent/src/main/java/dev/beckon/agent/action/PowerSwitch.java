package dev.beckon.agent.action;

import dev.beckon.device.Command;
import dev.beckon.device.Result;

/** What switches the power. */
interface PowerSwitch {
  /**
   * Switches, and returns what there is to say about it.
   *
   * @throws FailedException if that failed
   */
  Result set(boolean on, Command command) throws FailedException, InterruptedException;

  /**
   * Returns the value {@code state}: {@code on}, {@code off} or, if nobody knows, {@code unknown}.
   */
  Result status(Command command) throws FailedException, InterruptedException;
}
