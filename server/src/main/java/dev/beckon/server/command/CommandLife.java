package dev.beckon.server.command;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The rules of a command's states: pure functions, no clock, no SQL.
 *
 * <pre>
 *   QUEUED ──► DELIVERED ──► RUNNING ──► SUCCEEDED | FAILED
 *      │           │            │
 *      └───────────┴────────────┴─────► REJECTED | EXPIRED | CANCELLED
 *                                       UNKNOWN ──► whatever a later report says
 * </pre>
 *
 * <p>Two witnesses decide. While no session had the command, this server does: it expires it at the
 * deadline and cancels it at once. From the moment a session may have sent it ("handed over") only
 * the device knows, and its reports may skip states, because earlier ones can get lost. If it stays
 * silent for too long the end is UNKNOWN, until it speaks.
 */
final class CommandLife {

  /** How long a device may be without a session, past the deadline, before its word is given up. */
  static final Duration SILENCE = Duration.ofMinutes(5);

  /** What to do about a wish to cancel. */
  enum CancelStep {
    CANCEL,
    ASK_DEVICE,
    ALREADY_ENDED
  }

  private CommandLife() {}

  /**
   * The state that follows a device's report; empty if the report brings nothing new.
   *
   * @throws IllegalArgumentException if no device can report this state
   */
  static Optional<CommandState> onReport(CommandState state, CommandState reported) {
    if (reported == CommandState.QUEUED) {
      throw new IllegalArgumentException("state: QUEUED (expected a state that devices report)");
    }
    boolean open = !state.ended() || state == CommandState.UNKNOWN;
    boolean ahead = reported.compareTo(state) > 0;
    boolean news = state == CommandState.UNKNOWN ? reported != state : ahead;
    return open && news ? Optional.of(reported) : Optional.empty();
  }

  /** The state once the deadline is past; empty if it stays. */
  static Optional<CommandState> onDeadline(CommandState state, boolean handedOver) {
    return state == CommandState.QUEUED && !handedOver
        ? Optional.of(CommandState.EXPIRED)
        : Optional.empty();
  }

  /** The state once the deadline is past and the device was silent since; empty if it stays. */
  static Optional<CommandState> onSilence(CommandState state) {
    return state.ended() ? Optional.empty() : Optional.of(CommandState.UNKNOWN);
  }

  /** The state once it is clear that the device may not be sent anything; empty if it stays. */
  static Optional<CommandState> onDeviceRefused(CommandState state, boolean handedOver) {
    return state == CommandState.QUEUED && !handedOver
        ? Optional.of(CommandState.REJECTED)
        : Optional.empty();
  }

  static CancelStep onCancel(CommandState state, boolean handedOver) {
    if (state.ended()) {
      return CancelStep.ALREADY_ENDED;
    }
    return state == CommandState.QUEUED && !handedOver ? CancelStep.CANCEL : CancelStep.ASK_DEVICE;
  }

  /** When time next matters to a command; null if it ended. */
  static @Nullable Instant dueAt(CommandState state, boolean handedOver, Instant deadline) {
    if (state.ended()) {
      return null;
    }
    return state == CommandState.QUEUED && !handedOver ? deadline : deadline.plus(SILENCE);
  }
}
