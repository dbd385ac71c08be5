package dev.beckon.cli.demo;

/** A part of the demo did not do what it had to; the message says which and what it printed. */
final class DemoException extends RuntimeException {

  private static final long serialVersionUID = 1;

  DemoException(String message) {
    super(message);
  }
}
