package dev.beckon.agent.action;

import dev.beckon.device.Result;
import java.util.Locale;

/**
 * How an action failed, for programs: the value {@code failure} of the result. The words never
 * change their meaning; docs/ACTIONS.md explains each.
 */
enum Failure {
  /** The configured program is not there or cannot be executed. */
  PROGRAM_MISSING,
  /** The program ended with a code other than 0. */
  EXIT_CODE,
  /** It took longer than its time limit; a program was killed, a print job cancelled. */
  TIMED_OUT,
  /** The command brought no body, and the action needs one. */
  BODY_MISSING,
  /** The command's body is longer than the configuration allows. */
  BODY_TOO_LARGE,
  /** The other end led to a target that is not on the list. */
  TARGET_NOT_ALLOWED,
  /** Nobody answers there, or the connection broke. */
  UNREACHABLE,
  /** The other end answered with more than the configuration allows. */
  ANSWER_TOO_LARGE,
  /** The other end answered with an HTTP status that means no. */
  HTTP_STATUS,
  /** A file could not be written. */
  CANNOT_WRITE,
  /** Nobody is logged in to a desktop that could show a notification. */
  NO_SESSION,
  /** The line of the GPIO chip cannot be had. */
  GPIO_FAILED,
  /** The value was never set. */
  NOT_SET,
  /** The printer is stopped or takes no jobs. */
  PRINTER_OFFLINE,
  /** The printer does not take this document or these options. */
  PRINTER_REFUSED,
  /** The printer gave the job up, or somebody cancelled it there. */
  JOB_FAILED;

  /** As it stands in the result, such as {@code timed-out}. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The failed result.
   *
   * @param reason for people, as {@code name: value (expected …)} where it fits
   */
  Result because(String reason) {
    return Result.failed(word(), reason);
  }
}
