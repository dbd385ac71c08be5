package dev.beckon.device;

import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.device.tls.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/**
 * A key that a certificate was asked for and has not come for yet. It is on the disk before it is
 * sent, so that asking again, after a power cut or a lost answer, asks for the same one.
 */
final class PendingKey {
  private static final String PUBLIC_BEGIN = "-----BEGIN PUBLIC KEY-----";

  private PendingKey() {}

  /** The key in the file, or a new one, which is durable on return. */
  static KeyPair of(Path file) throws IOException, GeneralSecurityException {
    if (Files.exists(file)) {
      String text = Files.readString(file);
      int split = text.indexOf(PUBLIC_BEGIN);
      if (split >= 0) {
        PrivateKey key = Pem.parseKey(text.substring(0, split));
        byte[] der = Base64.getDecoder().decode(text.substring(split).split("\n")[1]);
        PublicKey publicKey =
            KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
        return new KeyPair(publicKey, key);
      }
    }
    KeyPair key = CertificateRequest.newKey();
    String text =
        Pem.format(key.getPrivate())
            + PUBLIC_BEGIN
            + "\n"
            + Base64.getEncoder().encodeToString(key.getPublic().getEncoded())
            + "\n-----END PUBLIC KEY-----\n";
    SecretFiles.replace(file, text.getBytes(StandardCharsets.US_ASCII));
    return key;
  }
}
