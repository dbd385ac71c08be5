package dev.beckon.server.identity;

import java.util.concurrent.CompletableFuture;

/** Turns an enrollment code's secret and a certificate request into a device's identity. */
public final class Enrollment {

  Enrollment() {}

  public CompletableFuture<Redemption> redeem(byte[] secret, byte[] csrDer) {
    throw new UnsupportedOperationException();
  }
}
