package dev.beckon.server.session;

import dev.beckon.server.identity.OneSidedTrust;
import dev.beckon.server.identity.ServerCredentials;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;

/**
 * Whole mutual TLS handshakes of the server with itself, in memory: the first ones of a process
 * load libraries and run uncompiled code, which devices should not have to wait for.
 */
final class TlsRehearsal {

  /** Twice the longest TLS record; a flight of a handshake is far below. */
  private static final int BUFFER_BYTES = 1 << 15;

  /** A handshake takes four flights. */
  private static final int MAX_ROUNDS = 32;

  private final SslContext server;
  private final SSLContext client;

  /**
   * @param shown the certificate that the server shows
   */
  TlsRehearsal(SslContext server, X509Certificate shown, ServerCredentials client) {
    this.server = server;
    this.client = context(shown, client);
  }

  private static SSLContext context(X509Certificate shown, ServerCredentials credentials) {
    try {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(null, null);
      X509Certificate[] chain = {credentials.chain().getFirst()};
      keys.setKeyEntry("client", credentials.key(), new char[0], chain);
      KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
      managers.init(keys, new char[0]);
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(managers.getKeyManagers(), new TrustManager[] {new Itself(shown)}, null);
      return context;
    } catch (GeneralSecurityException | IOException broken) {
      throw new IllegalStateException("tls: this JDK cannot play a client", broken);
    }
  }

  /** Trusts one certificate and no other. */
  private static final class Itself extends OneSidedTrust {

    private final X509Certificate shown;

    Itself(X509Certificate shown) {
      super(Side.SERVERS);
      this.shown = shown;
    }

    @Override
    protected void check(X509Certificate[] chain) throws CertificateException {
      if (!chain[0].equals(shown)) {
        throw new CertificateException("certificate: not this server's own");
      }
    }
  }

  /**
   * One handshake, on this thread.
   *
   * @param protocol as ALPN names it
   * @throws SSLException if it fails, which a device's would too
   */
  void handshake(String protocol) throws SSLException {
    SSLEngine theirs = client.createSSLEngine();
    theirs.setUseClientMode(true);
    SSLParameters parameters = theirs.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {protocol});
    theirs.setSSLParameters(parameters);
    SSLEngine ours = server.newEngine(ByteBufAllocator.DEFAULT);
    try {
      ByteBuffer toServer = ByteBuffer.allocate(BUFFER_BYTES);
      ByteBuffer toClient = ByteBuffer.allocate(BUFFER_BYTES);
      theirs.beginHandshake();
      for (int round = 0; round < MAX_ROUNDS && !(isDone(theirs) && isDone(ours)); round++) {
        step(theirs, toClient, toServer);
        step(ours, toServer, toClient);
      }
      if (!isDone(theirs) || !isDone(ours)) {
        throw new SSLException("tls: the server's handshake with itself does not end");
      }
    } finally {
      ReferenceCountUtil.release(ours);
    }
  }

  private static boolean isDone(SSLEngine engine) {
    return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING
        && !"NONE".equals(engine.getSession().getProtocol());
  }

  /** Lets one side read what there is, and write what it has to say. */
  private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
    ByteBuffer plain = ByteBuffer.allocate(BUFFER_BYTES);
    in.flip();
    boolean goesOn = true;
    while (goesOn) {
      // What waited for a task goes on with the next call, though no byte may be left to read.
      boolean ran = runTasks(engine);
      boolean speaks = engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
      SSLEngineResult result =
          speaks ? engine.wrap(ByteBuffer.allocate(0), out) : engine.unwrap(in, plain);
      goesOn =
          ran
              || result.bytesConsumed() + result.bytesProduced() > 0
              || result.getHandshakeStatus() == HandshakeStatus.NEED_TASK;
    }
    in.compact();
  }

  private static boolean runTasks(SSLEngine engine) {
    boolean ran = false;
    for (Runnable task = engine.getDelegatedTask();
        task != null;
        task = engine.getDelegatedTask()) {
      task.run();
      ran = true;
    }
    return ran;
  }
}
