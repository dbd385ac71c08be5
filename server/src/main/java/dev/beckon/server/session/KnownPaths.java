package dev.beckon.server.session;

import dev.beckon.server.identity.FleetCa;
import java.nio.ByteBuffer;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Certificates whose signature was found to be a root's, so that a device that comes again is not
 * checked for it again: that is most of what a full handshake costs the server. Nothing else is
 * remembered. Dates, names and the deny-list are asked each time, and other roots than those of the
 * check make all of it void. Thread-safe.
 */
final class KnownPaths {

  /** Some 10 MB. The devices that were here longest ago give way. */
  static final int MAX = 65_536;

  /** SHA-256 of a certificate. */
  private record Hash(long a, long b, long c, long d) {

    static Hash of(X509Certificate certificate) throws CertificateEncodingException {
      ByteBuffer hash = ByteBuffer.wrap(FleetCa.sha256(certificate.getEncoded()));
      return new Hash(hash.getLong(), hash.getLong(), hash.getLong(), hash.getLong());
    }
  }

  private final Map<Hash, Boolean> known;
  private List<X509Certificate> roots = List.of();

  /**
   * @param max how many are remembered
   */
  KnownPaths(int max) {
    this.known =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Hash, Boolean> eldest) {
            return size() > max;
          }
        };
  }

  /** Whether it was signed by one of exactly these roots, as far as is remembered. */
  boolean holds(X509Certificate certificate, List<X509Certificate> ofRoots)
      throws CertificateEncodingException {
    Hash hash = Hash.of(certificate);
    synchronized (this) {
      return goesBy(ofRoots) && known.get(hash) != null;
    }
  }

  /** It was signed by one of these roots: they are those that it was checked against. */
  void add(X509Certificate certificate, List<X509Certificate> ofRoots)
      throws CertificateEncodingException {
    Hash hash = Hash.of(certificate);
    synchronized (this) {
      if (!goesBy(ofRoots)) {
        known.clear();
        roots = List.copyOf(ofRoots);
      }
      known.put(hash, true);
    }
  }

  private boolean goesBy(List<X509Certificate> ofRoots) {
    return roots.equals(ofRoots);
  }
}
