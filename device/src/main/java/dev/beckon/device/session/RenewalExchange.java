package dev.beckon.device.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.RenewalRequest;
import dev.beckon.protocol.session.Welcome;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One session's part in renewing the device's identity, with the rendezvous server only: when half
 * of the certificate's life is over by the server's clock, or when the server says so. Only where
 * both sides prove who they are: what it gives outlives the session.
 */
public final class RenewalExchange {
  private final @Nullable Supplier<Held> held;
  private boolean asked;

  /**
   * @param held null where nothing is renewed: every renewal is ignored then
   */
  RenewalExchange(@Nullable Supplier<Held> held) {
    this.held = held;
  }

  void onHello(Hello.Builder hello) {
    if (held != null) {
      Held now = held.get();
      hello.setKeyId(now.keyId()).setRootsHash(now.rootsHash());
    }
  }

  void onWelcome(List<SessionEffect> effects, Welcome welcome) {
    if (held == null) {
      return;
    }
    Held now = held.get();
    boolean due = welcome.getServerTimeMillis() >= now.renewAfterMillis();
    // Right after a renewal never: a server that is not content with what it gave must not make the
    // device dial for ever.
    if ((due || welcome.getRenewalWanted()) && !now.justRenewed()) {
      asked = true;
      effects.add(new SessionEffect.Renew());
    }
  }

  /** The new key is kept, and this is the certificate request for it: what to send. */
  public SessionEffect.Send onCertificateRequest(byte[] certificateRequest) {
    RenewalRequest request =
        RenewalRequest.newBuilder()
            .setCertificateRequest(ByteString.copyFrom(certificateRequest))
            .build();
    return new SessionEffect.Send(Frame.newBuilder().setRenewalRequest(request).build());
  }

  /** An answer that was not asked for changes nothing. */
  void onRenewal(List<SessionEffect> effects, Renewal renewal) {
    if (asked) {
      asked = false;
      effects.add(
          renewal.getRefusal().isEmpty()
              ? new SessionEffect.Renewed(renewal)
              : new SessionEffect.RenewalRefused(renewal.getRefusal()));
    }
  }
}
