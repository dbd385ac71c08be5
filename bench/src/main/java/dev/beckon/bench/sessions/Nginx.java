package dev.beckon.bench.sessions;

import dev.beckon.lab.fleet.FleetCertificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;

/**
 * Debian's nginx with the fleet's CA and the server's own certificate: mutual TLS 1.3, one worker,
 * no tickets, so that it does nothing but full handshakes.
 */
final class Nginx implements AutoCloseable {

  private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

  private final Measured process;
  private final InetSocketAddress address;

  private Nginx(Measured process, InetSocketAddress address) {
    this.process = process;
    this.address = address;
  }

  /**
   * @param data the server's folder: its certificate and key stand in {@code server.pem}
   * @param folder for nginx's own files
   */
  static Nginx start(Path data, FleetCertificates fleet, Path folder)
      throws IOException, InterruptedException {
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, loopback)) {
      port = free.getLocalPort();
    }
    InetSocketAddress address = new InetSocketAddress(loopback, port);
    StringBuilder roots = new StringBuilder();
    for (X509Certificate root : fleet.roots()) {
      roots.append(pem("CERTIFICATE", encoded(root)));
    }
    Files.writeString(folder.resolve("roots.pem"), roots);
    Files.writeString(folder.resolve("device.pem"), pem("CERTIFICATE", fleet.encoded(0)));
    Files.writeString(folder.resolve("device.key"), pem("PRIVATE KEY", fleet.key().getEncoded()));
    Path config = folder.resolve("nginx.conf");
    Files.writeString(
        config,
        """
        daemon off;
        worker_processes 1;
        pid FOLDER/nginx.pid;
        error_log FOLDER/nginx.error warn;
        events { worker_connections 8192; }
        http {
          access_log off;
          client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER;
          uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
          server {
            listen 127.0.0.1:PORT ssl backlog=4096;
            ssl_protocols TLSv1.3;
            ssl_certificate SERVER;
            ssl_certificate_key SERVER;
            ssl_client_certificate FOLDER/roots.pem;
            ssl_verify_client on;
            ssl_session_cache off;
            ssl_session_tickets off;
            return 200 "$ssl_client_verify $ssl_client_serial $ssl_session_reused";
          }
        }
        """
            .replace("FOLDER", folder.toString())
            .replace("PORT", String.valueOf(port))
            .replace("SERVER", data.resolve("server.pem").toString()));
    Measured process =
        Measured.start(
            List.of("nginx", "-p", folder.toString(), "-c", config.toString()),
            folder.resolve("nginx.out"));
    Nginx nginx = new Nginx(process, address);
    nginx.awaitStart(folder);
    return nginx;
  }

  private void awaitStart(Path folder) throws IOException, InterruptedException {
    for (int tenths = 0; tenths < 100 && process.isAlive(); tenths++) {
      try (Socket socket = new Socket()) {
        socket.connect(address, 1_000);
        requireVerification(folder);
        return;
      } catch (IOException notYet) {
        Thread.sleep(100);
      }
    }
    close();
    throw new IOException("nginx: did not start (see " + folder + "/nginx.error)");
  }

  /** A server that looks at no certificate would win every comparison. */
  private void requireVerification(Path folder) throws IOException, InterruptedException {
    String to = "127.0.0.1:" + address.getPort();
    String[] known = {
      "openssl",
      "s_client",
      "-connect",
      to,
      "-quiet",
      "-no_ign_eof",
      "-cert",
      folder.resolve("device.pem").toString(),
      "-key",
      folder.resolve("device.key").toString()
    };
    String answer = Measured.ask("GET / HTTP/1.0\r\n\r\n", known);
    if (!answer.contains("SUCCESS ")) {
      throw new IllegalStateException("nginx did not verify a device's certificate:\n" + answer);
    }
  }

  private static byte[] encoded(X509Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a root has no encoding", e);
    }
  }

  private static String pem(String kind, byte[] der) {
    return "-----BEGIN "
        + kind
        + "-----\n"
        + BASE64.encodeToString(der)
        + "\n-----END "
        + kind
        + "-----\n";
  }

  Measured process() {
    return process;
  }

  InetSocketAddress address() {
    return address;
  }

  @Override
  public void close() {
    process.close();
  }
}
