package dev.beckon.device.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
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

  /** Three transmissions of a lost SYN (1 + 2 + 4 s) and a slow line. */
  private static final int CONNECT_MILLIS = 10_000;

  private static final int HANDSHAKE_MILLIS = 10_000;
  private static final int MAX_ADDRESSES = 4;

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
   * @param address resolved here, each time
   * @param opening gets the plain socket before it connects, so that another thread can close it
   * @throws IOException if no address of the server answers, or it is not the fleet's server
   */
  public SSLSocket dial(InetSocketAddress address, Opening opening) throws IOException {
    InetAddress[] addresses;
    try {
      addresses = InetAddress.getAllByName(address.getHostString());
    } catch (UnknownHostException e) {
      throw new UnknownHostException("host: " + address.getHostString() + " (cannot be resolved)");
    }
    IOException first = null;
    for (int i = 0; i < Math.min(addresses.length, MAX_ADDRESSES); i++) {
      try {
        return dial(addresses[i], address, opening);
      } catch (IOException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    throw first == null ? new UnknownHostException(address.getHostString()) : first;
  }

  /** Told of each socket before it blocks. */
  @FunctionalInterface
  public interface Opening {
    /**
     * @throws IOException to give up
     */
    void onSocket(Socket socket) throws IOException;
  }

  private SSLSocket dial(InetAddress ip, InetSocketAddress address, Opening opening)
      throws IOException {
    Socket plain = new Socket();
    try {
      opening.onSocket(plain);
      plain.setTcpNoDelay(true); // without it a session waits for delayed ACKs: some 60 ms
      plain.setKeepAlive(true);
      plain.connect(new InetSocketAddress(ip, address.getPort()), CONNECT_MILLIS);
      plain.setSoTimeout(HANDSHAKE_MILLIS);
      SSLSocket socket =
          (SSLSocket)
              context
                  .getSocketFactory()
                  .createSocket(plain, address.getHostString(), address.getPort(), true);
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
      plain.close();
      throw new IOException(e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      plain.close();
      throw e;
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
