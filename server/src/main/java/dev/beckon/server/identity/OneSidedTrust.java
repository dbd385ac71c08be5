package dev.beckon.server.identity;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Judges what the other side of a TLS connection shows, and nobody on one's own side. TLS asks in
 * seven ways; there is one answer. Names of hosts do not count: a fleet's certificates have none.
 */
public abstract class OneSidedTrust extends X509ExtendedTrustManager {

  /** Whose certificates are judged. */
  public enum Side {
    CLIENTS,
    SERVERS
  }

  private final Side judged;

  protected OneSidedTrust(Side judged) {
    this.judged = judged;
  }

  /**
   * Judges a chain. Called by several threads at once.
   *
   * @param chain as it was shown, the other side's own certificate first; may be empty
   * @throws CertificateException if the other side is not trusted; the message is for people
   */
  protected abstract void check(X509Certificate[] chain) throws CertificateException;

  private void check(Side side, X509Certificate[] chain) throws CertificateException {
    if (side != judged) {
      throw new CertificateException(
          "certificate: shown by the wrong side (expected " + judged + ")");
    }
    check(chain);
  }

  @Override
  public final void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(Side.CLIENTS, chain);
  }

  @Override
  public final void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(Side.CLIENTS, chain);
  }

  @Override
  public final void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(Side.CLIENTS, chain);
  }

  @Override
  public final void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(Side.SERVERS, chain);
  }

  @Override
  public final void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(Side.SERVERS, chain);
  }

  @Override
  public final void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(Side.SERVERS, chain);
  }

  /** None: the other side has one certificate to show, and needs no list to choose by. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
