package dev.beckon.server.api;

/**
 * Every error that the API answers with. A code never changes its meaning; docs/errors.md says what
 * to do about each.
 */
public enum ErrorCode {
  REQUEST_MALFORMED(400, "The request cannot be read"),
  PARAMETER_INVALID(400, "A parameter is not what it should be"),
  DEVICE_ID_INVALID(400, "The device ID cannot be one"),
  LABEL_INVALID(400, "A label cannot be one"),
  IDEMPOTENCY_KEY_INVALID(400, "The idempotency key cannot be one"),
  TOKEN_MISSING(401, "A token is needed"),
  TOKEN_INVALID(401, "The token is not this server's"),
  ADMIN_NEEDED(403, "The admin token is needed"),
  PATH_UNKNOWN(404, "There is nothing at this path"),
  DEVICE_UNKNOWN(404, "There is no such device"),
  APPLICATION_SERVER_UNKNOWN(404, "There is no such application server"),
  COMMAND_UNKNOWN(404, "There is no such command"),
  KEY_UNKNOWN(404, "There is no such master key"),
  BODY_UNKNOWN(404, "The command's result has no body"),
  METHOD_NOT_ALLOWED(405, "The path does not take this method"),
  IDEMPOTENCY_KEY_REUSED(409, "The idempotency key was used for other content"),
  COMMAND_ENDED(409, "The command has ended"),
  DEVICE_REVOKED(409, "The device is revoked"),
  ROLE_MISSING(409, "Another server does this"),
  KEY_NEWEST(409, "The newest master key cannot be retired"),
  KEY_IN_USE(409, "Devices use the master key"),
  CHANGE_UNFINISHED(409, "Two are live already"),
  ROOT_SINGLE(409, "There is one CA root only"),
  ROOT_IN_USE(409, "Devices depend on the older CA root"),
  REQUEST_TOO_LARGE(413, "The request is too large"),
  BODY_TOO_LARGE(413, "The command's body is too large"),
  CONTENT_TYPE_UNKNOWN(415, "The content type is not one that this path takes"),
  ACTION_UNKNOWN(422, "The device has no such action"),
  ARGUMENT_UNKNOWN(422, "The action takes no such argument"),
  ARGUMENT_MISSING(422, "The action needs another argument"),
  ARGUMENT_INVALID(422, "An argument is out of its range"),
  ARGUMENTS_TOO_LARGE(422, "The arguments are too large together"),
  BODY_NOT_ACCEPTED(422, "The action takes no body"),
  GROUP_EMPTY(422, "No device has all the labels"),
  DEADLINE_PASSED(422, "The deadline is past"),
  DEADLINE_TOO_FAR(422, "The deadline is too far away"),
  DIRECTORY_FULL(422, "The directory would become too large"),
  TOO_MANY_COMMANDS(429, "Too many commands wait for the device"),
  TOO_MANY_GROUPS(429, "Too many group commands are under way"),
  TOO_MANY_LISTENERS(429, "Too many listen to events"),
  INTERNAL(500, "The server made a mistake"),
  STORE_FAILED(503, "The server cannot keep anything now"),
  NOT_READY(503, "The server is not ready"),
  RENDEZVOUS_AWAY(503, "The rendezvous server cannot be reached");

  private final int status;
  private final String title;

  ErrorCode(int status, String title) {
    this.status = status;
    this.title = title;
  }

  /** The HTTP status that goes with it. */
  public int status() {
    return status;
  }

  /** One line for people. */
  public String title() {
    return title;
  }

  /** As it stands in an answer: {@code device-unknown}. */
  public String code() {
    return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  /** The error that a code names; {@link #INTERNAL} if there is none. */
  static ErrorCode of(String code) {
    for (ErrorCode each : values()) {
      if (each.code().equals(code)) {
        return each;
      }
    }
    return INTERNAL;
  }

  /** The error that is meant by a bare HTTP status. */
  static ErrorCode ofStatus(int status) {
    return switch (status) {
      case 401 -> TOKEN_INVALID;
      case 403 -> ADMIN_NEEDED;
      case 404 -> PATH_UNKNOWN;
      case 405 -> METHOD_NOT_ALLOWED;
      case 413, 414, 431 -> REQUEST_TOO_LARGE;
      case 415 -> CONTENT_TYPE_UNKNOWN;
      case 503 -> NOT_READY;
      default -> status < 500 ? REQUEST_MALFORMED : INTERNAL;
    };
  }
}
