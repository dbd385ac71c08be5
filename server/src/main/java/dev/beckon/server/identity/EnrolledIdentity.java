package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;

/**
 * Who an enrolled server is, and where its rendezvous server is. Kept in one file of its data
 * folder, so that a renewal replaces it as a whole: lines {@code NAME = VALUE}, then PEM.
 *
 * @param number 1 to 65,535
 * @param generation counts enrollments of this number
 * @param rendezvous host:port of the rendezvous server's TLS port
 * @param codeHash SHA-256 of the enrollment code's secret, in hexadecimal: tells a code that was
 *     used before from a new one
 * @param key private key of the first certificate
 * @param chain the server's own certificate first
 * @param roots CA certificates of the fleet
 */
public record EnrolledIdentity(
    int number,
    int generation,
    String rendezvous,
    String codeHash,
    PrivateKey key,
    List<X509Certificate> chain,
    List<X509Certificate> roots) {

  static final String FILE = "enrolled.pem";

  /** The key on its way to a certificate; an answer that was lost is asked for again with it. */
  private static final String KEY_FILE = "enrolling.pem";

  private static final int MAX_BYTES = 256 * 1024;
  private static final String PRIVATE_KEY = "PRIVATE KEY";
  private static final String PUBLIC_KEY = "PUBLIC KEY";
  private static final String CERTIFICATE = "CERTIFICATE";
  private static final String ROOT = "TRUSTED CERTIFICATE";

  public EnrolledIdentity {
    chain = List.copyOf(chain);
    roots = List.copyOf(roots);
    if (chain.isEmpty() || roots.isEmpty()) {
      throw new IllegalArgumentException("certificates: none (expected a chain and roots)");
    }
  }

  /** Whether the folder is that of a rendezvous server, which never enrolls. */
  public static boolean isRendezvous(Path folder) {
    return Files.exists(folder.resolve(FleetCa.FILE));
  }

  /**
   * Reads the identity of a data folder; empty if it was never enrolled.
   *
   * @throws StoreException if the file is damaged
   */
  public static Optional<EnrolledIdentity> read(Path folder) {
    Path file = folder.resolve(FILE);
    return PrivateFiles.read(file, MAX_BYTES).map(content -> parse(file, content));
  }

  /**
   * Enrolls with a code, blocking, and keeps the identity in the folder. A code that this folder
   * was enrolled with already changes nothing.
   *
   * @throws EnrollmentRefusedException if the rendezvous server refuses the code
   * @throws IOException with a message for people if it cannot be reached
   */
  public static EnrolledIdentity enroll(Path folder, EnrollmentCode code, InstantSource clock)
      throws IOException {
    String codeHash = HexFormat.of().formatHex(FleetCa.sha256(code.secret()));
    Optional<EnrolledIdentity> before = read(folder);
    if (before.isPresent() && before.get().codeHash().equals(codeHash)) {
      return before.get();
    }
    Path keyFile = folder.resolve(KEY_FILE);
    KeyPair keys =
        PrivateFiles.read(keyFile, MAX_BYTES).map(content -> keys(keyFile, content)).orElse(null);
    if (keys == null) {
      keys = EnrollmentExchange.newKey();
      PrivateFiles.write(
          keyFile,
          pem(
              new PemObject(PRIVATE_KEY, keys.getPrivate().getEncoded()),
              new PemObject(PUBLIC_KEY, keys.getPublic().getEncoded())));
    }
    EnrollmentAnswer answer = EnrollmentExchange.redeem(code, keys, clock);
    EnrolledIdentity enrolled;
    try {
      enrolled =
          new EnrolledIdentity(
              answer.getServerNumber(),
              answer.getGeneration(),
              answer.getTlsAddress(),
              codeHash,
              keys.getPrivate(),
              certificates(answer.getCertificateChainList()),
              certificates(answer.getCaRootsList()));
    } catch (GeneralSecurityException | IllegalArgumentException unreadable) {
      throw new IOException("enrollment: the answer holds no certificates (try again)", unreadable);
    }
    enrolled.write(folder);
    Files.deleteIfExists(keyFile); // its key is in the other file now
    return enrolled;
  }

  /** A new certificate for a new key, same number and generation. */
  public EnrolledIdentity renewed(
      PrivateKey newKey, List<ByteString> newChain, List<ByteString> newRoots)
      throws GeneralSecurityException {
    EnrolledIdentity renewed =
        new EnrolledIdentity(
            number,
            generation,
            rendezvous,
            codeHash,
            newKey,
            certificates(newChain),
            certificates(newRoots));
    if (!PemFile.match(newKey, renewed.chain().getFirst().getPublicKey())) {
      throw new GeneralSecurityException("the certificate is not for the key that asked for it");
    }
    return renewed;
  }

  /** A request for a certificate of this key: PKCS #10 in DER. */
  public static byte[] request(KeyPair keys) {
    return Certificates.request(keys);
  }

  /** What this server shows in TLS handshakes. */
  public ServerCredentials credentials() {
    Instant from = chain.getFirst().getNotBefore().toInstant();
    Instant to = chain.getFirst().getNotAfter().toInstant();
    return new ServerCredentials(key, chain, from.plus(Duration.between(from, to).dividedBy(2)));
  }

  /** Which roots this server goes by, as the rendezvous server is told it. */
  public PeerRoots peerRoots() {
    X509Certificate leaf = chain.getFirst();
    return FleetCa.peerRoots(
        roots,
        roots.stream().filter(root -> Certificates.signed(root, leaf)).findFirst().orElse(null));
  }

  /** Replaces what the folder holds. */
  public void write(Path folder) {
    List<PemObject> parts = new ArrayList<>();
    parts.add(new PemObject(PRIVATE_KEY, key.getEncoded()));
    try {
      for (X509Certificate each : chain) {
        parts.add(new PemObject(CERTIFICATE, each.getEncoded()));
      }
      for (X509Certificate each : roots) {
        parts.add(new PemObject(ROOT, each.getEncoded()));
      }
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate has no encoding", e);
    }
    String lines =
        "number = %d%ngeneration = %d%nrendezvous = %s%ncode-hash = %s%n"
            .formatted(number, generation, rendezvous, codeHash);
    byte[] head = lines.getBytes(StandardCharsets.UTF_8);
    byte[] body = pem(parts.toArray(new PemObject[0]));
    byte[] content = Arrays.copyOf(head, head.length + body.length);
    System.arraycopy(body, 0, content, head.length, body.length);
    PrivateFiles.write(folder.resolve(FILE), content);
  }

  private static EnrolledIdentity parse(Path file, byte[] content) {
    Map<String, String> values = new HashMap<>();
    String text = new String(content, StandardCharsets.UTF_8);
    for (String line : text.lines().toList()) {
      String[] parts = line.split(" = ", 2);
      if (parts.length == 2) {
        values.put(parts[0], parts[1]);
      }
    }
    PrivateKey key = null;
    List<X509Certificate> chain = new ArrayList<>();
    List<X509Certificate> roots = new ArrayList<>();
    try {
      for (PemObject part : parts(text)) {
        switch (part.getType()) {
          case PRIVATE_KEY -> key = Certificates.privateKey(part.getContent());
          case CERTIFICATE -> chain.add(Certificates.certificate(part.getContent()));
          case ROOT -> roots.add(Certificates.certificate(part.getContent()));
          default -> throw new IOException("an unexpected " + part.getType() + " in it");
        }
      }
      if (key == null || chain.isEmpty() || !PemFile.match(key, chain.getFirst().getPublicKey())) {
        throw new IOException("key and certificate do not belong together");
      }
      return new EnrolledIdentity(
          Integer.parseInt(values.getOrDefault("number", "")),
          Integer.parseInt(values.getOrDefault("generation", "")),
          values.getOrDefault("rendezvous", ""),
          values.getOrDefault("code-hash", ""),
          key,
          chain,
          roots);
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      // The parsers answer some damage with unchecked exceptions.
      throw PrivateFiles.damaged(file, "not readable as an enrolled server's identity", e);
    }
  }

  private static KeyPair keys(Path file, byte[] content) {
    PrivateKey privateKey = null;
    PublicKey publicKey = null;
    try {
      for (PemObject part : parts(new String(content, StandardCharsets.UTF_8))) {
        if (part.getType().equals(PRIVATE_KEY)) {
          privateKey = Certificates.privateKey(part.getContent());
        } else {
          publicKey =
              KeyFactory.getInstance("EC")
                  .generatePublic(new X509EncodedKeySpec(part.getContent()));
        }
      }
      if (privateKey == null || publicKey == null || !PemFile.match(privateKey, publicKey)) {
        throw new IOException("its keys do not belong together");
      }
      return new KeyPair(publicKey, privateKey);
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      throw PrivateFiles.damaged(file, "not readable as a key pair", e);
    }
  }

  private static List<PemObject> parts(String text) throws IOException {
    List<PemObject> parts = new ArrayList<>();
    try (PemReader reader = new PemReader(new StringReader(text))) {
      for (PemObject part = reader.readPemObject(); part != null; part = reader.readPemObject()) {
        parts.add(part);
      }
    }
    return parts;
  }

  private static byte[] pem(PemObject... parts) {
    StringWriter text = new StringWriter();
    try (PemWriter writer = new PemWriter(text)) {
      for (PemObject part : parts) {
        writer.writeObject(part);
      }
    } catch (IOException e) {
      throw new IllegalStateException("PEM cannot be written", e);
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static List<X509Certificate> certificates(List<ByteString> encoded)
      throws GeneralSecurityException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (ByteString each : encoded) {
      certificates.add(Certificates.certificate(each.toByteArray()));
    }
    return certificates;
  }
}
