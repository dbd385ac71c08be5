package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.session.Held;
import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.protocol.session.Renewal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;

/**
 * The device's identity of the moment, and its renewal: a new key pair, a new certificate for it,
 * the CA roots and the device key of today, taken over all at once or not at all.
 *
 * <p>{@link #current} may be called by any thread; the rest is owned by the thread that handles
 * sessions.
 */
final class IdentityKeeper {
  private static final String PENDING_KEY = "renewing-key.pem";

  private final Path pending;
  private volatile DeviceIdentity current;
  private boolean unconfirmed;

  IdentityKeeper(DeviceIdentity identity) {
    this.current = identity;
    this.pending = identity.folder().resolve(PENDING_KEY);
  }

  DeviceIdentity current() {
    return current;
  }

  List<X509Certificate> roots() {
    return current.roots();
  }

  /** What the server is told, and by which it knows that the device shall renew. */
  Held held() {
    DeviceIdentity identity = current;
    return new Held(
        identity.keyId(),
        ByteString.copyFrom(identity.rootsHash()),
        identity.renewAfterMillis(),
        unconfirmed);
  }

  /**
   * A certificate request for a new key. The same until it is answered.
   *
   * @throws IOException if the key cannot be kept
   */
  byte[] request() throws IOException {
    try {
      KeyPair key = PendingKey.of(pending);
      if (key.getPublic().equals(current.certificates().get(0).getPublicKey())) {
        Files.delete(pending); // taken over; the power went before it was deleted
        key = PendingKey.of(pending);
      }
      return CertificateRequest.create(key);
    } catch (GeneralSecurityException e) {
      throw new IOException("renewal: no new key (" + e.getMessage() + ")", e);
    }
  }

  /**
   * Takes the answer over; durable on return. From now on {@link #current} is another.
   *
   * @param nowMillis the server's clock, unix time
   * @throws IOException if the answer is not for this device, or cannot be kept; then everything
   *     stays as it was
   */
  void accept(Renewal renewal, long nowMillis) throws IOException {
    DeviceIdentity before = current;
    try {
      KeyPair key = PendingKey.of(pending);
      List<X509Certificate> chain = Enrollment.certificates(renewal.getCertificateChainList());
      List<X509Certificate> roots = Enrollment.certificates(renewal.getCaRootsList());
      if (renewal.getGeneration() != before.generation()
          || chain.isEmpty()
          || !Arrays.equals(
              chain.get(0).getPublicKey().getEncoded(), key.getPublic().getEncoded())) {
        throw new IOException("renewal: the certificate is not for this device's new key");
      }
      DeviceIdentity next =
          before.renewed(
              renewal.getKeyId(),
              renewal.getDeviceKey().toByteArray(),
              key.getPrivate(),
              chain,
              roots,
              nowMillis);
      next.store();
      current = next;
      unconfirmed = true;
      deletePending();
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException("renewal: cannot be used (" + e.getMessage() + ")", e);
    }
  }

  private void deletePending() {
    try {
      Files.deleteIfExists(pending);
    } catch (IOException e) {
      // The identity is taken over all the same; the next request() deletes it.
    }
  }

  /** A session began with the identity of the moment. */
  void confirmed() {
    unconfirmed = false;
  }
}
