package dev.beckon.server.session;

import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** A device's end of a connection, with the JDK's TLS or none, and blocking calls. */
public final class DeviceConnection implements AutoCloseable {

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;

  private DeviceConnection(Socket socket) throws IOException {
    this.socket = socket;
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
  }

  /** Makes a TLS context; connections of one context resume its TLS sessions. */
  public static SSLContext context(X509Certificate root, FleetPki.@Nullable Held held) {
    try {
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("root", root);
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(trusted);
      KeyManager[] keys = null;
      if (held != null) {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry(
            "own", held.keys().getPrivate(), new char[0], new Certificate[] {held.certificate()});
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(own, new char[0]);
        keys = factory.getKeyManagers();
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys, trust.getTrustManagers(), null);
      return context;
    } catch (Exception broken) {
      throw new AssertionError(broken);
    }
  }

  public static DeviceConnection open(
      InetSocketAddress server, SSLContext context, String alpn, String version)
      throws IOException {
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
    socket.connect(server, 5_000);
    socket.setSoTimeout(10_000);
    socket.setTcpNoDelay(true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(alpn.isEmpty() ? new String[0] : new String[] {alpn});
    parameters.setProtocols(new String[] {version});
    socket.setSSLParameters(parameters);
    try {
      socket.startHandshake();
    } catch (IOException refused) {
      socket.close();
      throw refused;
    }
    return new DeviceConnection(socket);
  }

  public static DeviceConnection session(
      InetSocketAddress server, X509Certificate root, FleetPki.@Nullable Held held)
      throws IOException {
    return open(server, context(root, held), "beckon/1", "TLSv1.3");
  }

  /** Plain TCP. */
  static DeviceConnection plain(InetSocketAddress server) throws IOException {
    Socket socket = new Socket(server.getAddress(), server.getPort());
    socket.setSoTimeout(10_000);
    return new DeviceConnection(socket);
  }

  Socket socket() {
    return socket;
  }

  SSLSocket tls() {
    return (SSLSocket) socket;
  }

  public DeviceConnection send(Frame... frames) throws IOException {
    for (Frame frame : frames) {
      frame.writeDelimitedTo(out);
    }
    out.flush();
    return this;
  }

  void sendBytes(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  /** The next frame; null at the end of the connection. */
  public @Nullable Frame receive() throws IOException {
    return Frame.parseDelimitedFrom(in);
  }

  public Frame receive(Frame.KindCase kind) throws IOException {
    Frame frame = receive();
    if (frame == null || frame.getKindCase() != kind) {
      throw new AssertionError("received " + frame + " (expected " + kind + ")");
    }
    return frame;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
