package dev.beckon.lab.fleet;

import dev.beckon.server.identity.PathToRoot;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Judges the server's certificate as a device does: a path to a root of the fleet, and the name of
 * the rendezvous server. Once for all devices, for they all are shown the same one. Thread-safe.
 */
final class ServerProof extends X509ExtendedTrustManager {

  private static final String NAME = "urn:beckon:server:0/";

  private final List<X509Certificate> roots;
  private final Set<Integer> asked = ConcurrentHashMap.newKeySet();
  private volatile byte[] judged = {};

  ServerProof(List<X509Certificate> roots) {
    this.roots = roots;
  }

  /**
   * Whether the server proved itself in this device's handshake; if not, a TLS session was resumed.
   * True once for each handshake.
   */
  boolean takeAsked(int device) {
    return asked.remove(device);
  }

  private void check(X509Certificate[] chain) throws CertificateException {
    byte[] leaf = chain[0].getEncoded();
    if (Arrays.equals(leaf, judged)) {
      return;
    }
    Collection<List<?>> names = chain[0].getSubjectAlternativeNames();
    if (names == null || names.stream().noneMatch(n -> String.valueOf(n.get(1)).startsWith(NAME))) {
      throw new CertificateException("server certificate names: " + names + " (expected " + NAME);
    }
    try {
      PathToRoot.require(List.of(chain), roots, Instant.now());
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException("server certificate: not of this fleet", unfit);
    }
    judged = leaf;
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    asked.add(engine.getPeerPort()); // the device's number: see DeviceKeys
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("certificate: a client's (expected a server's)");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checkClientTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    checkClientTrusted(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return roots.toArray(new X509Certificate[0]);
  }
}
