package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.device.tls.Dialler;
import dev.beckon.device.tls.PlainDialler;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a device tells of a connection that ended. */
class ConnectionTest {
  @TempDir private Path folder;

  /** Dials a server that says so many bytes and hangs up; returns why the connection ended. */
  private String reasonOf(Dialler dialler, byte[] said) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      HostAddresses hosts =
          new HostAddresses(
              folder.resolve("hosts"),
              Resolver.SYSTEM,
              new LabGuard(Security.NONE, false),
              () -> 0);
      CompletableFuture<String> reason = new CompletableFuture<>();
      Connection connection =
          new Connection(
              dialler,
              hosts,
              InetSocketAddress.createUnresolved("127.0.0.1", server.getLocalPort()),
              new Connection.Receiver() {
                @Override
                public void onConnected(String note) {}

                @Override
                public void onFrame(Frame frame) {}

                @Override
                public void onEnd(String why) {
                  reason.complete(why);
                }
              });
      connection.start();
      try (Socket accepted = server.accept()) {
        accepted.getOutputStream().write(said);
      }
      return reason.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void aServerThatHangsUpOnPlainFramesPerhapsSpeaksTls() throws Exception {
    assertThat(reasonOf(new PlainDialler(), new byte[0]))
        .isEqualTo(
            "server closed the connection (a server whose security is not none does so; expected"
                + " the same on both sides)");
  }

  /** Holds the lock that a slow disk would hold. */
  @Test
  void saysHelloBeforeItWritesTheServersAddressesDown() throws Exception {
    HostAddresses hosts = hosts();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<String> connected = new CompletableFuture<>();
      Connection connection =
          connection(hosts, server.getLocalPort(), connected, new CompletableFuture<>());
      synchronized (hosts) {
        connection.start();
        assertThat(connected.get(10, TimeUnit.SECONDS)).isEmpty();
      }
      connection.cut();
    }
  }

  @Test
  void givesAServerUpThatDoesNotReadWhatItIsTold() throws Exception {
    Frame frame = Frame.newBuilder().setBye(Bye.newBuilder().setText("x".repeat(60_000))).build();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<String> connected = new CompletableFuture<>();
      CompletableFuture<String> reason = new CompletableFuture<>();
      Connection connection = connection(hosts(), server.getLocalPort(), connected, reason);
      connection.start();
      try (Socket accepted = server.accept()) {
        connected.get(10, TimeUnit.SECONDS);
        for (int i = 0; i < 5_000; i++) {
          connection.send(frame);
        }
        assertThat(reason.get(10, TimeUnit.SECONDS))
            .startsWith("the server does not read what it is told");
        assertThat(accepted.isConnected()).isTrue();
      }
    }
  }

  private HostAddresses hosts() {
    // In no folder: nothing is written, for it might be while the test's folder is being deleted.
    return new HostAddresses(
        folder.resolve("none").resolve("hosts"),
        Resolver.SYSTEM,
        new LabGuard(Security.NONE, false),
        () -> 0);
  }

  private static Connection connection(
      HostAddresses hosts,
      int port,
      CompletableFuture<String> connected,
      CompletableFuture<String> ended) {
    return new Connection(
        new PlainDialler(),
        hosts,
        InetSocketAddress.createUnresolved("localhost", port),
        new Connection.Receiver() {
          @Override
          public void onConnected(String note) {
            connected.complete(note);
          }

          @Override
          public void onFrame(Frame frame) {}

          @Override
          public void onEnd(String why) {
            ended.complete(why);
          }
        });
  }

  @Test
  void aServerThatSaidSomethingSpeaksTheSame() throws Exception {
    byte[] bye =
        Frame.newBuilder().setBye(Bye.newBuilder().setText("enough")).build().toByteArray();
    byte[] delimited = new byte[bye.length + 1];
    delimited[0] = (byte) bye.length;
    System.arraycopy(bye, 0, delimited, 1, bye.length);

    assertThat(reasonOf(new PlainDialler(), delimited)).isEqualTo("server closed the connection");
  }

  @Test
  void whereNobodyListensTheSecurityIsNotToBlame() throws IOException, Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    CompletableFuture<String> reason = new CompletableFuture<>();
    new Connection(
            new PlainDialler(),
            new HostAddresses(
                folder.resolve("hosts"),
                Resolver.SYSTEM,
                new LabGuard(Security.NONE, false),
                () -> 0),
            InetSocketAddress.createUnresolved("127.0.0.1", port),
            new Connection.Receiver() {
              @Override
              public void onConnected(String note) {}

              @Override
              public void onFrame(Frame frame) {}

              @Override
              public void onEnd(String why) {
                reason.complete(why);
              }
            })
        .start();

    assertThat(reason.get(10, TimeUnit.SECONDS)).doesNotContain("security");
  }
}
