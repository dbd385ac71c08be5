package dev.beckon.agent;

/** A configuration that cannot be used; the message is for people and names the line. */
final class ConfigException extends Exception {
  private static final long serialVersionUID = 1;

  ConfigException(String message) {
    super(message);
  }
}
