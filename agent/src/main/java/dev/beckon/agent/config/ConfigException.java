package dev.beckon.agent.config;

/** A configuration that cannot be used; the message is for people and names the line. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1;

  public ConfigException(String message) {
    super(message);
  }
}
