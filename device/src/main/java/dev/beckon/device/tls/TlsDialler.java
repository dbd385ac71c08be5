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
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
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
public final class TlsDialler {
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
  private final SSLContext context;

  /**
   * @param protocol the ALPN name, such as {@code beckon/1}
   * @param credentials null for a connection without a client certificate
   */
  public TlsDialler(String protocol, @Nullable Credentials credentials, ChainCheck check)
      throws GeneralSecurityException {
    this.protocol = protocol;
    this.check = check;
    this.context = SSLContext.getInstance("TLSv1.3");
    context.init(
        credentials == null ? null : new KeyManager[] {new OneKey(credentials)},
        new TrustManager[] {new Trust(check)},
        null);
  }

  /**
   * Loads and compiles what a handshake needs, by making a ClientHello for nobody. Without it the
   * first dial of a slow board waits for its disk, and a command with it.
   */
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
  public SSLSocket dial(
      String host, List<InetAddress> addresses, int port, TcpDialler.Opening opening)
      throws IOException {
    return TcpDialler.dial(addresses, port, opening, plain -> shake(plain, host, port));
  }

  private SSLSocket shake(Socket plain, String host, int port) throws IOException {
    try {
      plain.setSoTimeout(HANDSHAKE_MILLIS);
      SSLSocket socket =
          (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setProtocols(new String[] {"TLSv1.3"});
      parameters.setApplicationProtocols(new String[] {protocol});
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      if (!protocol.equals(socket.getApplicationProtocol())) {
        throw new IOException(
            "ALPN: " + socket.getApplicationProtocol() + " (expected " + protocol + ")");
      }
      // A resumed handshake skips the trust manager; its certificate may have expired since.
      check.check(chain(socket));
      socket.setSoTimeout(0);
      return socket;
    } catch (CertificateException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static List<X509Certificate> chain(SSLSocket socket) throws IOException {
    return Arrays.stream(socket.getSession().getPeerCertificates())
        .map(X509Certificate.class::cast)
        .toList();
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
