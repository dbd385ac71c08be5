package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/**
 * A server's side of its enrollment: one exchange with the rendezvous server, which is known by the
 * fingerprint in the code.
 */
public final class EnrollmentExchange {

  private static final String ALPN = "beckon-enroll/1";
  private static final int CONNECT_MILLIS = 10_000;
  private static final int ANSWER_MILLIS = 20_000;

  private EnrollmentExchange() {}

  /**
   * A new key for a server; store it before it is enrolled, so that a lost answer costs nothing.
   */
  public static KeyPair newKey() {
    return Certificates.newKeyPair();
  }

  /**
   * Has the key certified, blocking. The same code with the same key brings the same answer.
   *
   * @return an answer with a server number, whose first certificate is for this key
   * @throws EnrollmentRefusedException if the rendezvous server refuses the code
   * @throws IOException if it cannot be reached, is not the code's, or answers with something else;
   *     its message is for people
   */
  public static EnrollmentAnswer redeem(EnrollmentCode code, KeyPair keys, InstantSource clock)
      throws IOException {
    Frame request =
        Frame.newBuilder()
            .setEnrollmentRequest(
                EnrollmentRequest.newBuilder()
                    .setSecret(ByteString.copyFrom(code.secret()))
                    .setCertificateRequest(ByteString.copyFrom(Certificates.request(keys))))
            .build();
    Frame frame = exchange(code, request, clock);
    if (frame.hasEnrollmentRefusal()) {
      throw new EnrollmentRefusedException(
          frame.getEnrollmentRefusal().getCode(), frame.getEnrollmentRefusal().getText());
    }
    EnrollmentAnswer answer = frame.getEnrollmentAnswer();
    if (answer.getServerNumber() == 0) {
      throw new IOException(
          "enrollment code: a device's, "
              + answer.getDeviceId()
              + " (expected a server's; make one with \"beckon app-server add\")");
    }
    check(answer, keys);
    return answer;
  }

  private static Frame exchange(EnrollmentCode code, Frame request, InstantSource clock)
      throws IOException {
    try (Socket plain = new Socket()) {
      InetSocketAddress address = new InetSocketAddress(code.host(), code.port());
      if (address.isUnresolved()) {
        throw new UnknownHostException("no such host");
      }
      plain.connect(address, CONNECT_MILLIS);
      plain.setSoTimeout(ANSWER_MILLIS);
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(null, new TrustManager[] {new ByFingerprint(code, clock)}, null);
      try (SSLSocket socket =
          (SSLSocket)
              context.getSocketFactory().createSocket(plain, code.host(), code.port(), true)) {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {ALPN});
        parameters.setProtocols(new String[] {"TLSv1.3"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        request.writeDelimitedTo(socket.getOutputStream());
        Frame frame = Frame.parseDelimitedFrom(socket.getInputStream());
        if (frame == null || !(frame.hasEnrollmentAnswer() || frame.hasEnrollmentRefusal())) {
          throw new IOException("no answer; try again with the same code");
        }
        return frame;
      }
    } catch (GeneralSecurityException broken) {
      throw new IllegalStateException("this JDK has no TLS 1.3", broken);
    } catch (InvalidProtocolBufferException broken) {
      throw failed(code, "not a Beckon server's answer", broken);
    } catch (IOException failed) {
      throw failed(code, why(failed), failed);
    }
  }

  /** TLS wraps what the certificate check said. */
  private static String why(IOException failed) {
    for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return String.valueOf(cause.getMessage());
      }
    }
    return String.valueOf(failed.getMessage());
  }

  private static IOException failed(EnrollmentCode code, String why, IOException cause) {
    return new IOException(
        "enrollment: failed at " + code.host() + ", port " + code.port() + " (" + why + ")", cause);
  }

  private static void check(EnrollmentAnswer answer, KeyPair keys) throws IOException {
    try {
      X509Certificate own =
          Certificates.certificate(
              answer.getCertificateChainCount() == 0
                  ? new byte[0]
                  : answer.getCertificateChain(0).toByteArray());
      String name = Certificates.serverUri(answer.getServerNumber(), answer.getGeneration());
      if (Arrays.equals(own.getPublicKey().getEncoded(), keys.getPublic().getEncoded())
          && ServerLeaf.uris(own).contains(name)) {
        return;
      }
    } catch (GeneralSecurityException unreadable) {
      // told below
    }
    throw new IOException(
        "enrollment: the certificate that came is not for this server's key (try again)");
  }

  /** Trusts the rendezvous server of the fleet whose CA has the code's fingerprint, and nobody. */
  private static final class ByFingerprint extends OneSidedTrust {

    private final EnrollmentCode code;
    private final InstantSource clock;

    ByFingerprint(EnrollmentCode code, InstantSource clock) {
      super(Side.SERVERS);
      this.code = code;
      this.clock = clock;
    }

    @Override
    protected void check(X509Certificate[] chain) throws CertificateException {
      X509Certificate root = null;
      for (X509Certificate each : chain) {
        if (Arrays.equals(FleetCa.sha256(each.getEncoded()), code.caFingerprint())) {
          root = each;
        }
      }
      if (root == null) {
        throw new CertificateException(
            "its certificate is of another fleet; check the code and the address in it");
      }
      Instant now = clock.instant();
      try {
        // The code may be of before a roll-over: then the older root vouches for the newer.
        PathToRoot.require(List.of(chain), List.of(root), now);
        root.checkValidity(Date.from(now));
      } catch (GeneralSecurityException unfit) {
        throw new CertificateException(
            "its certificate is not valid; check this host's clock, " + now, unfit);
      }
      if (!ServerLeaf.isOf(0, chain[0])) {
        throw new CertificateException("its certificate is not a rendezvous server's");
      }
    }
  }
}
