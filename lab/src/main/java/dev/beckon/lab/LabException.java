package dev.beckon.lab;

/** Something in the lab that has to work did not: a command failed, or an awaited line is late. */
public final class LabException extends RuntimeException {

  private static final long serialVersionUID = 1;

  LabException(String message) {
    super(message);
  }

  LabException(String message, Throwable cause) {
    super(message, cause);
  }
}
