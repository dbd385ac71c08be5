package dev.beckon.agent.action;

import dev.beckon.device.ActionHandler;
import dev.beckon.device.Result;

/** Ends a command with a typed failure, from wherever it is noticed. */
final class FailedException extends Exception {
  private static final long serialVersionUID = 1;

  private final transient Result result;

  FailedException(Result result) {
    super(result.failure(), null, false, false); // no stack: it is an outcome, not a mistake
    this.result = result;
  }

  FailedException(Failure failure, String reason) {
    this(failure.because(reason));
  }

  Result result() {
    return result;
  }

  /** The same handler; what it throws of this kind becomes its result. */
  static ActionHandler caught(ActionHandler handler) {
    return command -> {
      try {
        return handler.run(command);
      } catch (FailedException e) {
        return e.result();
      }
    };
  }
}
