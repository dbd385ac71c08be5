package dev.beckon.device.wake;

/** What becomes of a wake. */
public enum WakeVerdict {
  /** New, or known with a later deadline: answer it and dial. */
  ACCEPTED(true),
  /** Seen before: answer it again, but do not dial again. */
  REPEATED(true),
  /** It names another device, or another generation of this one. */
  WRONG_DEVICE(false),
  /** Its deadline is past. */
  LATE(false),
  /** It echoes a sequence that the device did not send, or sent too long ago. */
  STALE(false);

  private final boolean answered;

  WakeVerdict(boolean answered) {
    this.answered = answered;
  }

  /** Whether the server gets a wake answer. */
  public boolean isAnswered() {
    return answered;
  }
}
