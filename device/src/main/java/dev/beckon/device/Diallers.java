package dev.beckon.device;

import dev.beckon.device.tls.Dialler;
import dev.beckon.device.tls.PlainDialler;
import dev.beckon.device.tls.ServerCheck;
import dev.beckon.device.tls.TlsDialler;
import dev.beckon.protocol.Security;
import java.security.GeneralSecurityException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What dials each server: a dialler believes only the server of its own number, and keeps that
 * server's TLS sessions.
 *
 * <p>Not thread-safe; owned by the thread that handles sessions.
 */
final class Diallers {
  private static final String ALPN = "beckon/1";

  /** Servers whose TLS sessions are kept; a device talks to few. */
  private static final int MAX_KEPT = 16;

  private final Security security;
  private final IdentityKeeper identities;
  private final DeviceClock clock;
  private final Map<Integer, Dialler> kept = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @throws GeneralSecurityException if the identity cannot be used
   */
  Diallers(Security security, IdentityKeeper identities, DeviceClock clock)
      throws GeneralSecurityException {
    this.security = security;
    this.identities = identities;
    this.clock = clock;
    kept.put(0, create(0));
  }

  Dialler of(int server) {
    Dialler dialler = kept.get(server);
    if (dialler == null) {
      try {
        dialler = create(server);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("the identity could be used before", e);
      }
      kept.put(server, dialler);
      if (kept.size() > MAX_KEPT) {
        kept.remove(kept.keySet().iterator().next());
      }
    }
    return dialler;
  }

  /** The identity is another now: the next connections show it, and resume nothing of before. */
  void forget() {
    kept.clear();
  }

  /** All that the security mode changes about dialling. */
  private Dialler create(int server) throws GeneralSecurityException {
    DeviceIdentity identity = identities.current();
    TlsDialler.ChainCheck check =
        chain -> ServerCheck.check(chain, identities.roots(), server, clock.instant());
    return switch (security) {
      case MUTUAL ->
          TlsDialler.mutual(
              ALPN,
              new TlsDialler.Credentials(identity.privateKey(), identity.certificates()),
              check);
      case SERVER -> TlsDialler.serverOnly(ALPN, check);
      case NONE -> new PlainDialler();
    };
  }
}
