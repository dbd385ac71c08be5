package dev.beckon.server.identity;

import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;

/**
 * A private key and its certificates in one PEM file: one file is replaced as a whole, two could be
 * half of each.
 *
 * @param key matches the first certificate
 */
record PemFile(PrivateKey key, List<X509Certificate> chain) {

  private static final int MAX_BYTES = 64 * 1024;
  private static final String PRIVATE_KEY = "PRIVATE KEY";
  private static final String CERTIFICATE = "CERTIFICATE";

  PemFile {
    chain = List.copyOf(chain);
  }

  /** The first certificate. */
  X509Certificate certificate() {
    return chain.getFirst();
  }

  KeyPair keyPair() {
    return new KeyPair(certificate().getPublicKey(), key);
  }

  /**
   * Reads the file; empty if there is none.
   *
   * @throws StoreException if it is not what {@link #write} wrote, to the last bit that matters
   */
  static Optional<PemFile> read(Path file) {
    return PrivateFiles.read(file, MAX_BYTES).map(content -> parse(file, content));
  }

  private static PemFile parse(Path file, byte[] content) {
    List<X509Certificate> chain = new ArrayList<>();
    PrivateKey key = null;
    try (PemReader reader =
        new PemReader(new StringReader(new String(content, StandardCharsets.US_ASCII)))) {
      for (PemObject part = reader.readPemObject(); part != null; part = reader.readPemObject()) {
        if (part.getType().equals(PRIVATE_KEY) && key == null) {
          key = Certificates.privateKey(part.getContent());
        } else if (part.getType().equals(CERTIFICATE)) {
          chain.add(Certificates.certificate(part.getContent()));
        } else {
          throw PrivateFiles.damaged(file, "an unexpected " + part.getType() + " in it", null);
        }
      }
      if (key == null || chain.isEmpty()) {
        throw PrivateFiles.damaged(file, "no private key and certificate in it", null);
      }
      if (!match(key, chain.getFirst().getPublicKey())) {
        throw PrivateFiles.damaged(file, "key and certificate do not belong together", null);
      }
      // Each is signed by another one or by itself, so one changed bit anywhere shows here.
      for (X509Certificate certificate : chain) {
        if (chain.stream().noneMatch(issuer -> Certificates.signed(issuer, certificate))) {
          throw PrivateFiles.damaged(file, "a certificate's issuer is missing", null);
        }
      }
      return new PemFile(key, chain);
    } catch (StoreException e) {
      throw e;
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      // The parsers answer some damage with unchecked exceptions.
      throw PrivateFiles.damaged(file, "not readable as PEM", e);
    }
  }

  static boolean match(PrivateKey privateKey, PublicKey publicKey) throws GeneralSecurityException {
    byte[] sample = "do they belong together?".getBytes(StandardCharsets.US_ASCII);
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(privateKey);
    signature.update(sample);
    byte[] signed = signature.sign();
    signature.initVerify(publicKey);
    signature.update(sample);
    return signature.verify(signed);
  }

  void write(Path file) {
    StringWriter text = new StringWriter();
    try (PemWriter writer = new PemWriter(text)) {
      writer.writeObject(new PemObject(PRIVATE_KEY, key.getEncoded()));
      for (X509Certificate certificate : chain) {
        writer.writeObject(new PemObject(CERTIFICATE, certificate.getEncoded()));
      }
    } catch (IOException | CertificateEncodingException e) {
      throw new IllegalStateException("cannot encode " + file, e);
    }
    PrivateFiles.write(file, text.toString().getBytes(StandardCharsets.US_ASCII));
  }
}
