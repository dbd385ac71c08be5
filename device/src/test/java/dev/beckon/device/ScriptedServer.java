package dev.beckon.device;

import dev.beckon.device.session.Frames;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.protocol.datagram.MalformedDatagramException;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * A server that does nothing by itself: the test says, step by step, what it receives and sends. So
 * a test can play every mistake a server can make.
 */
final class ScriptedServer implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 10_000;
  private static final char[] PASSWORD = "changeit".toCharArray();

  private DatagramSocket udp;
  private final SSLServerSocket tls;
  private @Nullable InetSocketAddress device;

  ScriptedServer(TestFleet.Credentials credentials, X509Certificate root)
      throws IOException, GeneralSecurityException {
    udp = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    udp.setSoTimeout(PATIENCE_MILLIS);
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry(
        "server", credentials.key(), PASSWORD, credentials.chain().toArray(new X509Certificate[0]));
    KeyManagerFactory keyManagers = KeyManagerFactory.getInstance("PKIX");
    keyManagers.init(keys, PASSWORD);
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    roots.setCertificateEntry("root", root);
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(roots);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(keyManagers.getKeyManagers(), trust.getTrustManagers(), null);
    tls =
        (SSLServerSocket)
            context
                .getServerSocketFactory()
                .createServerSocket(0, 10, InetAddress.getLoopbackAddress());
    tls.setSoTimeout(PATIENCE_MILLIS);
    tls.setWantClientAuth(true);
  }

  InetSocketAddress udpAddress() {
    return (InetSocketAddress) udp.getLocalSocketAddress();
  }

  InetSocketAddress tlsAddress() {
    return (InetSocketAddress) tls.getLocalSocketAddress();
  }

  /** The next datagram. */
  Datagram receive(byte[] key) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[2_048], 2_048);
    udp.receive(packet);
    device = (InetSocketAddress) packet.getSocketAddress();
    byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
    if (!Datagram.isAuthentic(bytes, bytes.length, key)) {
      throw new AssertionError("not authentic");
    }
    try {
      return Datagram.decode(bytes, bytes.length);
    } catch (MalformedDatagramException e) {
      throw new AssertionError(e);
    }
  }

  Keepalive receiveKeepalive(byte[] key) throws IOException {
    if (receive(key) instanceof Keepalive keepalive) {
      return keepalive;
    }
    throw new AssertionError("expected a keepalive");
  }

  /** Receives a keepalive and answers it. */
  Keepalive answerKeepalive(byte[] key) throws IOException {
    return answerKeepalive(key, 0);
  }

  /** Receives a keepalive and answers it, and shows which directory the server holds. */
  Keepalive answerKeepalive(byte[] key, long directoryVersion) throws IOException {
    Keepalive keepalive = receiveKeepalive(key);
    send(
        new KeepaliveAnswer(
                keepalive.transactionId(),
                device(),
                false,
                false,
                System.currentTimeMillis(),
                directoryVersion,
                7,
                0)
            .encode(key));
    return keepalive;
  }

  void sendWake(byte[] key, String deviceId, long wakeId, long sequenceEcho) throws IOException {
    sendWake(key, deviceId, wakeId, sequenceEcho, 0);
  }

  void sendWake(byte[] key, String deviceId, long wakeId, long sequenceEcho, int serverNumber)
      throws IOException {
    send(
        new Wake(
                new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, (byte) wakeId},
                new dev.beckon.protocol.datagram.DeviceId(deviceId),
                1,
                1,
                wakeId,
                System.currentTimeMillis() + 30_000,
                serverNumber,
                0,
                sequenceEcho)
            .encode(key));
  }

  void send(byte[] datagram) throws IOException {
    udp.send(new DatagramPacket(datagram, datagram.length, device()));
  }

  /** Closes the UDP port. What comes for it is answered by the system, with ICMP. */
  void closeUdp() {
    udp.close();
  }

  /** Opens the same UDP port again. */
  void reopenUdp(InetSocketAddress address) throws IOException {
    udp = new DatagramSocket(address);
    udp.setSoTimeout(PATIENCE_MILLIS);
  }

  InetSocketAddress device() {
    InetSocketAddress address = device;
    if (address == null) {
      throw new AssertionError("no device has sent anything");
    }
    return address;
  }

  /** The next connection, its handshake done. */
  Peer accept() throws IOException {
    SSLSocket socket = (SSLSocket) tls.accept();
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.setHandshakeApplicationProtocolSelector(
        (handshaking, offered) ->
            List.of("beckon/1", "beckon-enroll/1").contains(offered.get(0)) ? offered.get(0) : "");
    socket.startHandshake();
    return new Peer(socket);
  }

  /** How long accept and receive wait. */
  void patience(int millis) throws IOException {
    udp.setSoTimeout(millis);
    tls.setSoTimeout(millis);
  }

  /** How long accept waits. */
  void patienceForDials(int millis) throws IOException {
    tls.setSoTimeout(millis);
  }

  @Override
  public void close() throws IOException {
    udp.close();
    tls.close();
  }

  /** One connection. */
  record Peer(SSLSocket socket) implements AutoCloseable {
    Frame read() throws IOException {
      Frame frame = Frames.read(socket.getInputStream());
      if (frame == null) {
        throw new AssertionError("the device closed the connection");
      }
      return frame;
    }

    boolean isAtEnd() throws IOException {
      return Frames.read(socket.getInputStream()) == null;
    }

    void write(Frame frame) throws IOException {
      Frames.write(socket.getOutputStream(), frame);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
