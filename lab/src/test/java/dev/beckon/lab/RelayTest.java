package dev.beckon.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@NullMarked
@Timeout(20)
final class RelayTest {

  @Test
  void leadsFromAPortThroughAFileToAnotherPort(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("s");
    try (ServerSocket target = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Relay inside = Relay.inside(file, (InetSocketAddress) target.getLocalSocketAddress());
        Relay outside = Relay.outside(file)) {
      Thread.ofVirtual().start(() -> echoOnce(target));

      try (Socket client = new Socket("127.0.0.1", outside.address().getPort())) {
        client.getOutputStream().write("question".getBytes(StandardCharsets.UTF_8));
        client.shutdownOutput();

        assertThat(client.getInputStream().readAllBytes())
            .asString(StandardCharsets.UTF_8)
            .isEqualTo("question!");
      }
      assertThat(inside).isNotNull();
    }
  }

  @Test
  void closesAConnectionThatLeadsNowhere(@TempDir Path folder) throws Exception {
    try (Relay outside = Relay.outside(folder.resolve("nobody"));
        Socket client = new Socket("127.0.0.1", outside.address().getPort())) {
      assertThat(client.getInputStream().readAllBytes()).isEmpty();
    }
  }

  private static void echoOnce(ServerSocket target) {
    try (Socket socket = target.accept()) {
      socket.getOutputStream().write(socket.getInputStream().readAllBytes());
      socket.getOutputStream().write('!');
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
