package dev.beckon.server.identity;

import org.jspecify.annotations.Nullable;

/** A certificate request that cannot be granted; the message says what is wrong with it. */
public final class InvalidCertificateRequestException extends Exception {

  InvalidCertificateRequestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
