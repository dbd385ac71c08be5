package dev.beckon.server.identity;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;

/** A server's own certificate, as against those of the CA. */
public final class ServerLeaf {

  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
  private static final int URI_NAME = 6;

  private ServerLeaf() {}

  /**
   * Whether a certificate is for the TLS server of this number, whichever its generation: it is no
   * CA's, is for server authentication, and has the name {@code urn:beckon:server:<number>/…} among
   * its names. Says nothing about who signed it, nor about its dates.
   *
   * @param number 0 to 65,535
   * @throws CertificateParsingException if its names or its usage cannot be read
   */
  public static boolean isOf(int number, X509Certificate leaf) throws CertificateParsingException {
    List<String> usages = leaf.getExtendedKeyUsage();
    return leaf.getBasicConstraints() == -1
        && usages != null
        && usages.contains(SERVER_AUTH)
        && uris(leaf).stream().anyMatch(uri -> uri.startsWith("urn:beckon:server:" + number + "/"));
  }

  /** Its names that are URIs. */
  static List<String> uris(X509Certificate leaf) throws CertificateParsingException {
    Collection<List<?>> names = leaf.getSubjectAlternativeNames();
    return names == null
        ? List.of()
        : names.stream()
            .filter(name -> Integer.valueOf(URI_NAME).equals(name.get(0)))
            .map(name -> String.valueOf(name.get(1)))
            .toList();
  }
}
