package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.jspecify.annotations.Nullable;

/** Keys and certificates as this fleet uses them: P-256 everywhere, names in the SAN. */
final class Certificates {

  /** Devices go by the server's time, and servers' clocks differ a little. */
  private static final Duration CLOCK_SKEW = Duration.ofHours(1);

  /** A request has some 250 bytes; names in it are ignored. */
  private static final int MAX_REQUEST_BYTES = 8192;

  private static final String SIGNATURE = "SHA256withECDSA";
  private static final SecureRandom RANDOM = new SecureRandom();

  private Certificates() {}

  static KeyPair newKeyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK has no P-256", e);
    }
  }

  static X509Certificate root(KeyPair keys, Instant now, Duration life) {
    X500Name name = name("Beckon fleet CA");
    Draft draft = new Draft(name, name, now, life, keys.getPublic(), keys.getPublic());
    return draft.sign(keys.getPrivate(), Certificates::ofCa);
  }

  /**
   * The new root's key, signed by the old root: who trusts only the old one finds a path to it from
   * what the new one signs. Subject and issuer have the same name, which makes it self-issued (RFC
   * 5280, section 3.2), and such a certificate does not count against the old root's path length.
   */
  static X509Certificate cross(
      X509Certificate root, KeyPair olderKeys, X509Certificate older, Instant now) {
    X500Name issuer = X500Name.getInstance(older.getSubjectX500Principal().getEncoded());
    X500Name subject = X500Name.getInstance(root.getSubjectX500Principal().getEncoded());
    Duration life = Duration.between(now, older.getNotAfter().toInstant());
    Draft draft = new Draft(issuer, subject, now, life, root.getPublicKey(), olderKeys.getPublic());
    return draft.sign(olderKeys.getPrivate(), Certificates::ofCa);
  }

  private static void ofCa(X509v3CertificateBuilder builder) throws IOException {
    // Path length 0: this CA signs devices and servers, never another CA.
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
    builder.addExtension(
        Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
  }

  static X509Certificate leaf(
      String commonName,
      Collection<String> uris,
      List<KeyPurposeId> purposes,
      PublicKey key,
      KeyPair ca,
      X509Certificate root,
      Instant now,
      Duration life) {
    X500Name issuer = X500Name.getInstance(root.getSubjectX500Principal().getEncoded());
    Draft draft = new Draft(issuer, name(commonName), now, life, key, ca.getPublic());
    return draft.sign(
        ca.getPrivate(),
        builder -> {
          builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
          builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
          builder.addExtension(
              Extension.extendedKeyUsage,
              false,
              new ExtendedKeyUsage(purposes.toArray(new KeyPurposeId[0])));
          GeneralName[] names =
              uris.stream()
                  .map(uri -> new GeneralName(GeneralName.uniformResourceIdentifier, uri))
                  .toArray(GeneralName[]::new);
          builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
        });
  }

  /** Whether the issuer's key signed the certificate. */
  static boolean signed(X509Certificate issuer, X509Certificate certificate) {
    try {
      SignatureChecks.verify(certificate, issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException | RuntimeException another) {
      return false; // some parsers answer damage with unchecked exceptions
    }
  }

  /**
   * Whether the certificate names the issuer's key as the one that signed it; if it names none,
   * whether that key did.
   */
  static boolean names(X509Certificate issuer, X509Certificate certificate) {
    byte[] authority = certificate.getExtensionValue(Extension.authorityKeyIdentifier.getId());
    byte[] subject = issuer.getExtensionValue(Extension.subjectKeyIdentifier.getId());
    if (authority == null || subject == null) {
      return signed(issuer, certificate);
    }
    try {
      byte[] named =
          AuthorityKeyIdentifier.getInstance(JcaX509ExtensionUtils.parseExtensionValue(authority))
              .getKeyIdentifierOctets();
      byte[] own =
          SubjectKeyIdentifier.getInstance(JcaX509ExtensionUtils.parseExtensionValue(subject))
              .getKeyIdentifier();
      return Arrays.equals(named, own);
    } catch (IOException | IllegalArgumentException unreadable) {
      return signed(issuer, certificate);
    }
  }

  /** The name of a device's generation, as it stands in its certificate. */
  static String deviceUri(DeviceId id, int generation) {
    return "urn:beckon:device:" + id.value() + "/" + generation;
  }

  /** The name of a server's role, as it stands in its certificate. */
  static String serverUri(int number, int generation) {
    return "urn:beckon:server:" + number + "/" + generation;
  }

  /**
   * The key that a certificate request asks for. The signature proves that the sender has its
   * private half; names and extensions that it asks for do not count.
   */
  static PublicKey requestedKey(byte[] der) throws InvalidCertificateRequestException {
    if (der.length == 0 || der.length > MAX_REQUEST_BYTES) {
      throw invalid(
          der.length + " bytes (expected 1 to " + MAX_REQUEST_BYTES + ", PKCS #10 in DER)", null);
    }
    try {
      JcaPKCS10CertificationRequest request = new JcaPKCS10CertificationRequest(der);
      requireP256(request.getSubjectPublicKeyInfo());
      PublicKey key = request.getPublicKey();
      if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
        throw invalid("its signature is not of its own key", null);
      }
      return key;
    } catch (IOException
        | GeneralSecurityException
        | OperatorCreationException
        | PKCSException
        | RuntimeException e) {
      // The parser answers some malformed input with unchecked exceptions.
      throw invalid("not readable as PKCS #10 in DER", e);
    }
  }

  /** A request for a certificate of this key: PKCS #10 in DER. */
  static byte[] request(KeyPair keys) {
    try {
      return new JcaPKCS10CertificationRequestBuilder(name("Beckon server"), keys.getPublic())
          .build(new JcaContentSignerBuilder(SIGNATURE).build(keys.getPrivate()))
          .getEncoded();
    } catch (IOException | OperatorCreationException e) {
      throw new IllegalStateException("cannot sign a certificate request", e);
    }
  }

  private static void requireP256(SubjectPublicKeyInfo info)
      throws IOException, InvalidCertificateRequestException {
    boolean ec = X9ObjectIdentifiers.id_ecPublicKey.equals(info.getAlgorithm().getAlgorithm());
    // Only the named curve: explicit parameters could describe a weak one.
    boolean p256 =
        ec
            && info.getAlgorithm().getParameters() instanceof ASN1ObjectIdentifier curve
            && curve.equals(SECObjectIdentifiers.secp256r1);
    if (!p256) {
      throw invalid("its key is of another kind (expected EC on P-256)", null);
    }
    // Creating the parameters checks that the point lies on the curve, which the JDK does not.
    if (!(PublicKeyFactory.createKey(info) instanceof ECPublicKeyParameters)) {
      throw invalid("its key is of another kind (expected EC on P-256)", null);
    }
  }

  private static InvalidCertificateRequestException invalid(String why, @Nullable Throwable cause) {
    return new InvalidCertificateRequestException("certificate request: " + why, cause);
  }

  static X509Certificate certificate(byte[] der) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
  }

  static PrivateKey privateKey(byte[] pkcs8) throws GeneralSecurityException {
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
  }

  private static X500Name name(String commonName) {
    return new X500NameBuilder().addRDN(BCStyle.CN, commonName).build();
  }

  @FunctionalInterface
  private interface Extensions {
    void addTo(X509v3CertificateBuilder builder) throws IOException;
  }

  /** What every certificate has, before the extensions of its kind. */
  private record Draft(
      X500Name issuer,
      X500Name subject,
      Instant now,
      Duration life,
      PublicKey key,
      PublicKey issuerKey) {

    X509Certificate sign(PrivateKey caKey, Extensions extensions) {
      X509v3CertificateBuilder builder =
          new X509v3CertificateBuilder(
              issuer,
              // 126 random bits: unique without a register, and positive.
              new BigInteger(126, RANDOM).setBit(126),
              Date.from(now.minus(CLOCK_SKEW)),
              Date.from(now.plus(life)),
              subject,
              SubjectPublicKeyInfo.getInstance(key.getEncoded()));
      try {
        JcaX509ExtensionUtils identifiers = new JcaX509ExtensionUtils();
        builder.addExtension(
            Extension.subjectKeyIdentifier, false, identifiers.createSubjectKeyIdentifier(key));
        builder.addExtension(
            Extension.authorityKeyIdentifier,
            false,
            identifiers.createAuthorityKeyIdentifier(issuerKey));
        extensions.addTo(builder);
        return certificate(
            builder.build(new JcaContentSignerBuilder(SIGNATURE).build(caKey)).getEncoded());
      } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
        throw new IllegalStateException("cannot sign a certificate: " + e.getMessage(), e);
      }
    }
  }
}
