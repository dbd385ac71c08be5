package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;

/** Certificates as they stand in frames and tables: in DER. */
public final class Der {

  private Der() {}

  public static ByteString of(X509Certificate certificate) {
    try {
      return ByteString.copyFrom(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate has no encoding", e);
    }
  }

  public static List<ByteString> of(Collection<X509Certificate> certificates) {
    return certificates.stream().map(Der::of).toList();
  }
}
