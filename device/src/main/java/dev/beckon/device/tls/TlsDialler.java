package dev.beckon.device.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Opens TLS 1.3 connections to a server, and believes only what {@link ChainCheck} accepts.
 *
 * <p>Thread-safe. Keeps the TLS sessions, so that a later connection is resumed; the chain is
 * checked then too.
 */
public final class TlsDialler implements Dialler {
  /** Judges the server's certificates, the server's own first. */
  @FunctionalInterface
  public interface ChainCheck {
    void check(List<X509Certificate> chain) throws CertificateException;
  }

  /** What the device proves itself with. */
  public record Credentials(PrivateKey key, List<X509Certificate> chain) {
    public Credentials {
      chain = List.copyOf(chain);
    }
  }

  private static final int HANDSHAKE_MILLIS = 10_000;

  private final String protocol;
  private final ChainCheck check;
  private final Asking asking;
  private final SSLContext context;

  /** Sockets of handshakes in which the server asked for a certificate. */
  private final Set<Socket> asked = ConcurrentHashMap.newKeySet();

  /** Whether the server must ask for the device's certificate. */
  private enum Asking {
    EXPECTED,
    REFUSED,
    EITHER
  }

  private TlsDialler(
      String protocol, Asking asking, @Nullable Credentials credentials, ChainCheck check)
      throws GeneralSecurityException {
    this.protocol = protocol;
    this.asking = asking;
    this.check = check;
    this.context = SSLContext.getInstance("TLSv1.3");
    context.init(
        new KeyManager[] {credentials == null ? new NoKey(asked) : new OneKey(credentials)},
        new TrustManager[] {new Trust(check)},
        null);
  }

  /**
   * Both sides show certificates; a server that does not ask for the device's is left before
   * anything is said, for it would believe anybody.
   *
   * @param protocol the ALPN name, such as {@code beckon/1}
   */
  public static TlsDialler mutual(String protocol, Credentials credentials, ChainCheck check)
      throws GeneralSecurityException {
    return new TlsDialler(protocol, Asking.EXPECTED, credentials, check);
  }

  /** Only the server shows a certificate; one that asks for the device's is left. */
  public static TlsDialler serverOnly(String protocol, ChainCheck check)
      throws GeneralSecurityException {
    return new TlsDialler(protocol, Asking.REFUSED, null, check);
  }

  /** For a device that has no certificate yet; the server may ask for one. */
  public static TlsDialler enrolling(String protocol, ChainCheck check)
      throws GeneralSecurityException {
    return new TlsDialler(protocol, Asking.EITHER, null, check);
  }

  @Override
  public String hint() {
    return "";
  }

  /**
   * Loads and compiles what a handshake needs, by making a ClientHello for nobody. Without it the
   * first dial of a slow board waits for its disk, and a command with it.
   */
  @Override
  public void warmUp() {
    try {
      SSLEngine engine = context.createSSLEngine();
      engine.setUseClientMode(true);
      engine.wrap(
          ByteBuffer.allocate(0), ByteBuffer.allocate(engine.getSession().getPacketBufferSize()));
    } catch (SSLException e) {
      // Then the first dial tells.
    }
  }

  /**
   * Connects, shakes hands and checks the server; blocks for at most 20 s per address.
   *
   * @param host for the TLS sessions that are kept
   * @param addresses of the host, in the order in which to try them
   * @param opening gets each plain socket before it connects, so that another thread can close it
   * @throws IOException if no address of the server answers, or it is not the fleet's server
   */
  @Override
  public SSLSocket dial(
      String host, List<InetAddress> addresses, int port, TcpDialler.Opening opening)
      throws IOException {
    return TcpDialler.dial(addresses, port, opening, plain -> shake(plain, host, port));
  }

  private SSLSocket shake(Socket plain, String host, int port) throws IOException {
    plain.setSoTimeout(HANDSHAKE_MILLIS);
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true);
    try {
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setProtocols(new String[] {"TLSv1.3"});
      parameters.setApplicationProtocols(new String[] {protocol});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      if (!protocol.equals(socket.getApplicationProtocol())) {
        throw otherProtocol(null);
      }
      // A resumed handshake skips the trust manager; its certificate may have expired since.
      check.check(chain(socket));
      checkAsking(socket);
      socket.setSoTimeout(0);
      return socket;
    } catch (CertificateException e) {
      throw new IOException(e.getMessage(), e);
    } catch (SSLHandshakeException e) {
      // The alert's name of RFC 7301; the JDK offers no other way to tell it.
      if (String.valueOf(e.getMessage()).contains("no_application_protocol")) {
        throw otherProtocol(e);
      }
      throw e;
    } finally {
      asked.remove(socket);
    }
  }

  private IOException otherProtocol(@Nullable Throwable cause) {
    return new IOException(
        "security: the server does not speak "
            + protocol
            + " over TLS (one whose security is none does not; expected the same on both sides)",
        cause);
  }

  /** Whether the server's security is the device's; before anything is said to it. */
  private void checkAsking(SSLSocket socket) throws IOException {
    SSLSession session = socket.getSession();
    String finding =
        switch (asking) {
          // Kept with the TLS session, so that a resumed one knows it too.
          case EXPECTED ->
              session.getLocalCertificates() == null
                  ? "the server asks for no certificate, as in server (expected mutual on both"
                      + " sides)"
                  : "";
          case REFUSED ->
              asked.contains(socket)
                  ? "the server asks for a certificate, as in mutual (expected server on both"
                      + " sides)"
                  : "";
          case EITHER -> "";
        };
    if (!finding.isEmpty()) {
      session.invalidate();
      throw new IOException("security: " + finding);
    }
  }

  private static List<X509Certificate> chain(SSLSocket socket) throws IOException {
    return Arrays.stream(socket.getSession().getPeerCertificates())
        .map(X509Certificate.class::cast)
        .toList();
  }

  /** Has no key; notes who asks. */
  private static final class NoKey extends X509ExtendedKeyManager {
    private final Set<Socket> asked;

    NoKey(Set<Socket> asked) {
      this.asked = asked;
    }

    @Override
    public @Nullable String chooseClientAlias(
        String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
      if (socket != null) {
        asked.add(socket);
      }
      return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
      return null;
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
      return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return null;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }
  }

  /** Offers the one key there is, whichever issuers the server lists. */
  private static final class OneKey extends X509ExtendedKeyManager {
    private static final String ALIAS = "device";
    private final Credentials credentials;

    OneKey(Credentials credentials) {
      this.credentials = credentials;
    }

    @Override
    public String chooseClientAlias(
        String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return ALIAS;
    }

    @Override
    public String chooseEngineClientAlias(
        String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
      return ALIAS;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return credentials.chain().toArray(new X509Certificate[0]);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return credentials.key();
    }

    @Override
    public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
      return new String[] {ALIAS};
    }

    @Override
    public @Nullable String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return null;
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }
  }

  /** An extended trust manager, because the JDK adds no checks of its own to one. */
  private static final class Trust extends X509ExtendedTrustManager {
    private final ChainCheck check;

    Trust(ChainCheck check) {
      this.check = check;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      check.check(List.of(chain));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check.check(List.of(chain));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check.check(List.of(chain));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw new CertificateException("a device is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      throw new CertificateException("a device is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("a device is no server");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
