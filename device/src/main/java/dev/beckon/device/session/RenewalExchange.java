package dev.beckon.device.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.RenewalRequest;
import dev.beckon.protocol.session.Welcome;
import java.util.List;
import java.util.function.Supplier;

/**
 * One session's part in renewing the device's identity, with the rendezvous server only: when half
 * of the certificate's life is over by the server's clock, or when the server says so.
 */
public final class RenewalExchange {
  private final boolean possible;
  private final Supplier<Held> held;
  private boolean asked;
  private boolean renewed;

  /**
   * @param possible whether the session is with the rendezvous server
   */
  RenewalExchange(boolean possible, Supplier<Held> held) {
    this.possible = possible;
    this.held = held;
  }

  void onHello(Hello.Builder hello) {
    if (possible) {
      Held now = held.get();
      hello.setKeyId(now.keyId()).setRootsHash(now.rootsHash());
    }
  }

  void onWelcome(List<SessionEffect> effects, Welcome welcome) {
    if (!possible) {
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
      renewed = renewal.getRefusal().isEmpty();
      effects.add(
          renewed
              ? new SessionEffect.Renewed(renewal)
              : new SessionEffect.RenewalRefused(renewal.getRefusal()));
    }
  }

  /** Whether the server has renewed the device's identity in this session. */
  public boolean isRenewed() {
    return renewed;
  }
}
