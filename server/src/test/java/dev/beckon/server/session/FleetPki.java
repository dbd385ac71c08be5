package dev.beckon.server.session;

import dev.beckon.server.identity.ServerCredentials;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** A certificate authority that also issues what a fleet's must not. */
public final class FleetPki {

  /** A certificate and its private key. */
  public record Held(KeyPair keys, X509Certificate certificate) {}

  /** What goes into a certificate; starts as a right device's. */
  static final class Wish {
    @Nullable KeyPurposeId usage = KeyPurposeId.id_kp_clientAuth;
    List<GeneralName> names = List.of();
    boolean ca;
    boolean unknownCritical;
    @Nullable KeyPair keys;
    @Nullable Held issuer;
    Instant from = Instant.now().minus(Duration.ofDays(1));
    Instant until = Instant.now().plus(Duration.ofDays(365));

    Wish usage(@Nullable KeyPurposeId other) {
      usage = other;
      return this;
    }

    Wish uris(String... uris) {
      names =
          java.util.Arrays.stream(uris)
              .map(uri -> new GeneralName(GeneralName.uniformResourceIdentifier, uri))
              .toList();
      return this;
    }

    Wish dnsName(String name) {
      names = List.of(new GeneralName(GeneralName.dNSName, name));
      return this;
    }

    Wish ca() {
      ca = true;
      return this;
    }

    /** A critical extension that nobody knows. */
    Wish unknownCritical() {
      unknownCritical = true;
      return this;
    }

    Wish keys(KeyPair other) {
      keys = other;
      return this;
    }

    /** Signed by this one instead of the root. */
    Wish by(Held other) {
      issuer = other;
      return this;
    }

    Wish valid(Instant start, Instant end) {
      from = start;
      until = end;
      return this;
    }
  }

  private final Held root;
  private long serial = 1;

  public FleetPki() {
    KeyPair keys = newKeys();
    this.root =
        new Held(
            keys,
            issue(
                new X500Name("CN=fleet"),
                keys,
                new X500Name("CN=fleet"),
                keys,
                new Wish().usage(null).ca()));
  }

  X509Certificate root() {
    return root.certificate();
  }

  Held rootHeld() {
    return root;
  }

  public Held device(String id, int generation) {
    return issue(new Wish().uris("urn:beckon:device:" + id + "/" + generation));
  }

  Held issue(Wish wish) {
    KeyPair keys = wish.keys == null ? newKeys() : wish.keys;
    Held issuer = wish.issuer == null ? root : wish.issuer;
    X500Name issuerName =
        X500Name.getInstance(issuer.certificate().getSubjectX500Principal().getEncoded());
    return new Held(keys, issue(issuerName, issuer.keys(), new X500Name("CN=x"), keys, wish));
  }

  ServerCredentials server() {
    Held held =
        issue(new Wish().usage(KeyPurposeId.id_kp_serverAuth).uris("urn:beckon:server:0/1"));
    return new ServerCredentials(
        held.keys().getPrivate(),
        List.of(held.certificate(), root()),
        Instant.now().plus(Duration.ofDays(100)));
  }

  private X509Certificate issue(
      X500Name issuer, KeyPair issuerKeys, X500Name subject, KeyPair keys, Wish wish) {
    try {
      X509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              issuer,
              BigInteger.valueOf(serial++),
              Date.from(wish.from),
              Date.from(wish.until),
              subject,
              keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(wish.ca));
      if (wish.usage != null) {
        builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(wish.usage));
      }
      if (!wish.names.isEmpty()) {
        builder.addExtension(
            Extension.subjectAlternativeName,
            false,
            new GeneralNames(wish.names.toArray(new GeneralName[0])));
      }
      if (wish.unknownCritical) {
        builder.addExtension(
            new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"), true, new DEROctetString(new byte[1]));
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(
                  new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKeys.getPrivate())));
    } catch (Exception broken) {
      throw new AssertionError(broken);
    }
  }

  public static KeyPair newKeys() {
    return newKeys("secp256r1");
  }

  static KeyPair newKeys(String curve) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec(curve));
      return generator.generateKeyPair();
    } catch (Exception broken) {
      throw new AssertionError(broken);
    }
  }
}
