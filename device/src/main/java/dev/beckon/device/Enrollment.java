package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.directory.DirectoryCheck;
import dev.beckon.device.directory.DirectoryRefusedException;
import dev.beckon.device.session.Frames;
import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.device.tls.Pem;
import dev.beckon.device.tls.ServerCheck;
import dev.beckon.device.tls.TlsDialler;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * Makes a device of the fleet out of a one-time code: makes a key, has it certified, and stores the
 * identity in the data folder.
 *
 * <p>The key is stored before it is sent. So enrolling again with the same code, after the answer
 * was lost or the power failed, brings the same identity.
 */
public final class Enrollment {
  private static final String ALPN = "beckon-enroll/1";
  private static final String PENDING_KEY = "enrolling-key.pem";
  private static final int ANSWER_MILLIS = 20_000;

  private Enrollment() {}

  /**
   * Enrolls, blocking: for up to a minute if the server does not answer.
   *
   * @param folder made if it is not there; a former identity in it is replaced
   * @throws EnrollmentRefusedException if the server refuses the code
   * @throws IOException if the server cannot be reached or is not the code's, or the folder cannot
   *     be written
   */
  public static DeviceIdentity enroll(EnrollmentCode code, Path folder) throws IOException {
    return enroll(code, folder, InstantSource.system());
  }

  static DeviceIdentity enroll(EnrollmentCode code, Path folder, InstantSource clock)
      throws IOException {
    SecretFiles.createFolder(folder);
    Path pending = folder.resolve(PENDING_KEY);
    try {
      KeyPair key = PendingKey.of(pending);
      EnrollmentAnswer answer = ask(code, CertificateRequest.create(key), clock);
      DeviceIdentity identity = identity(folder, key, answer);
      DirectoryFile directory = new DirectoryFile(folder);
      directory.delete(); // it may be another fleet's; without one the device pulls it
      identity.store();
      store(directory, answer, identity);
      Files.deleteIfExists(pending);
      return identity;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException("enrollment: failed (" + e.getMessage() + ")", e);
    }
  }

  /** Keeps the list that came with the identity, if it is good. */
  private static void store(
      DirectoryFile directory, EnrollmentAnswer answer, DeviceIdentity identity)
      throws IOException {
    if (answer.getDirectory().isEmpty()) {
      return;
    }
    byte[] signed = answer.getDirectory().toByteArray();
    try {
      Instant now = Instant.ofEpochMilli(answer.getServerTimeMillis());
      DirectoryCheck.check(signed, identity.roots(), 0, now);
      directory.store(signed);
    } catch (DirectoryRefusedException e) {
      System.getLogger("dev.beckon.device").log(System.Logger.Level.WARNING, e.getMessage());
    }
  }

  private static EnrollmentAnswer ask(EnrollmentCode code, byte[] request, InstantSource clock)
      throws IOException, GeneralSecurityException {
    TlsDialler dialler = TlsDialler.enrolling(ALPN, chain -> check(chain, code, clock.instant()));
    List<InetAddress> addresses = addresses(code.host());
    try (SSLSocket socket = dialler.dial(code.host(), addresses, code.port(), plain -> {})) {
      socket.setSoTimeout(ANSWER_MILLIS);
      Frames.write(
          socket.getOutputStream(),
          Frame.newBuilder()
              .setEnrollmentRequest(
                  EnrollmentRequest.newBuilder()
                      .setSecret(ByteString.copyFrom(code.secret()))
                      .setCertificateRequest(ByteString.copyFrom(request)))
              .build());
      Frame frame = Frames.read(socket.getInputStream());
      if (frame != null && frame.hasEnrollmentRefusal()) {
        EnrollmentRefusal refusal = frame.getEnrollmentRefusal();
        throw new EnrollmentRefusedException(refusal.getCode(), refusal.getText());
      }
      if (frame == null || !frame.hasEnrollmentAnswer()) {
        throw new IOException("enrollment: no answer (try again with the same code)");
      }
      return frame.getEnrollmentAnswer();
    }
  }

  private static List<InetAddress> addresses(String host) throws UnknownHostException {
    try {
      return HostAddresses.inTurn(Arrays.asList(Resolver.SYSTEM.resolve(host)));
    } catch (UnknownHostException e) {
      throw new UnknownHostException("host: " + host + " (cannot be resolved)");
    }
  }

  /** The server is the code's if its chain holds the CA certificate whose fingerprint is in it. */
  private static void check(List<X509Certificate> chain, EnrollmentCode code, Instant now)
      throws CertificateException {
    X509Certificate root = rootWith(code.caFingerprint(), chain);
    if (root == null) {
      throw new CertificateException(
          "server certificate: of another fleet (expected the one that made the code; check the"
              + " code and the address in it)");
    }
    // A board may not know the time yet. What the code and the chain say bounds it: the code was
    // made after the certificate, and is used before it expires.
    Instant notBefore = chain.get(0).getNotBefore().toInstant();
    Instant at = now.isAfter(code.expiry()) ? code.expiry() : now;
    ServerCheck.check(chain, List.of(root), 0, at.isBefore(notBefore) ? notBefore : at);
  }

  private static @Nullable X509Certificate rootWith(byte[] fingerprint, List<X509Certificate> chain)
      throws CertificateException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (X509Certificate certificate : chain) {
        if (MessageDigest.isEqual(digest.digest(certificate.getEncoded()), fingerprint)) {
          return certificate;
        }
      }
      return null;
    } catch (GeneralSecurityException e) {
      throw new CertificateException(e);
    }
  }

  private static DeviceIdentity identity(Path folder, KeyPair key, EnrollmentAnswer answer)
      throws GeneralSecurityException {
    List<X509Certificate> chain = certificates(answer.getCertificateChainList());
    if (chain.isEmpty()
        || !Arrays.equals(chain.get(0).getPublicKey().getEncoded(), key.getPublic().getEncoded())) {
      throw new IllegalArgumentException("the certificate is not for this device's key");
    }
    return new DeviceIdentity(
        folder,
        new DeviceId(answer.getDeviceId()),
        answer.getGeneration(),
        answer.getKeyId(),
        HostPort.parse("UDP address", answer.getUdpAddress()),
        HostPort.parse("TLS address", answer.getTlsAddress()),
        answer.getServerTimeMillis(),
        answer.getDeviceKey().toByteArray(),
        key.getPrivate(),
        chain,
        certificates(answer.getCaRootsList()));
  }

  static List<X509Certificate> certificates(List<ByteString> encoded) throws CertificateException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (ByteString der : encoded) {
      certificates.add(Pem.certificate(der.toByteArray()));
    }
    return certificates;
  }
}
