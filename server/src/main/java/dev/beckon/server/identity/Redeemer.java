package dev.beckon.server.identity;

import java.util.concurrent.CompletableFuture;

/** Turns the secret of an enrollment code and a certificate request into an identity. */
@FunctionalInterface
public interface Redeemer {

  /** The refusal of a secret that nobody here gave out. */
  String UNKNOWN = "enrollment-code-unknown";

  /** Completes when the new identity is durable, or with the reason why there is none. */
  CompletableFuture<Redemption> redeem(byte[] secret, byte[] csrDer);

  /** Asks {@code other} about secrets that this one does not know. */
  default Redeemer or(Redeemer other) {
    return (secret, csrDer) ->
        redeem(secret, csrDer)
            .thenCompose(
                redemption ->
                    redemption instanceof Redemption.Refused refused
                            && refused.refusal().getCode().equals(UNKNOWN)
                        ? other.redeem(secret, csrDer)
                        : CompletableFuture.completedFuture(redemption));
  }
}
