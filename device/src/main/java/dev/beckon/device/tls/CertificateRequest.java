package dev.beckon.device.tls;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;

/**
 * A PKCS #10 certificate request (RFC 2986) for a P-256 key, written by hand because the JDK has no
 * public way to.
 *
 * <p>It proves that the device holds the key, and nothing else: the server takes the name from the
 * enrollment code, not from here.
 */
public final class CertificateRequest {
  private static final int INTEGER = 0x02;
  private static final int BIT_STRING = 0x03;
  private static final int UTF8_STRING = 0x0C;
  private static final int SEQUENCE = 0x30;
  private static final int SET = 0x31;
  private static final int ATTRIBUTES = 0xA0;

  /** 2.5.4.3, commonName. */
  private static final byte[] COMMON_NAME = {0x06, 0x03, 0x55, 0x04, 0x03};

  /** 1.2.840.10045.4.3.2, ecdsa-with-SHA256 (RFC 5758). */
  private static final byte[] ECDSA_WITH_SHA256 = {
    0x06, 0x08, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x04, 0x03, 0x02
  };

  private CertificateRequest() {}

  /** A new P-256 key. */
  public static KeyPair newKey() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  /** The request in DER. */
  public static byte[] create(KeyPair key) throws GeneralSecurityException {
    byte[] commonName =
        der(
            SEQUENCE,
            COMMON_NAME,
            der(UTF8_STRING, "beckon device".getBytes(StandardCharsets.UTF_8)));
    byte[] name = der(SEQUENCE, der(SET, commonName));
    byte[] toSign =
        der(
            SEQUENCE,
            der(INTEGER, new byte[] {0}),
            name,
            key.getPublic().getEncoded(), // SubjectPublicKeyInfo
            der(ATTRIBUTES));
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(key.getPrivate());
    signature.update(toSign);
    return der(
        SEQUENCE,
        toSign,
        der(SEQUENCE, ECDSA_WITH_SHA256),
        der(BIT_STRING, new byte[] {0}, signature.sign()));
  }

  private static byte[] der(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    int length = content.size();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    if (length < 0x80) {
      out.write(length);
    } else if (length < 0x100) {
      out.write(0x81);
      out.write(length);
    } else {
      out.write(0x82);
      out.write(length >> 8);
      out.write(length);
    }
    out.writeBytes(content.toByteArray());
    return out.toByteArray();
  }
}
