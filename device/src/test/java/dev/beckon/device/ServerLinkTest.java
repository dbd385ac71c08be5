package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerLinkTest {
  @TempDir private Path folder;

  /** Holds the lock that a slow disk would hold. */
  @Test
  void doesNotLetDatagramsWaitForTheDisk() throws Exception {
    HostAddresses hosts =
        new HostAddresses(
            folder.resolve("hosts.properties"),
            host -> new InetAddress[] {InetAddress.getLoopbackAddress()},
            new LabGuard(Security.MUTUAL, false),
            () -> 0);
    InetSocketAddress address = InetSocketAddress.createUnresolved("beckon.example", 3478);
    try (Selector selector = Selector.open();
        ServerLink link =
            new ServerLink(address, hosts, selector, (from, to, why) -> {}, host -> {})) {
      link.open("start", true);
      while (link.server() == null) {
        selector.select(10_000);
        link.receive((bytes, length) -> {});
      }
      synchronized (hosts) {
        CompletableFuture.runAsync(link::confirm).get(10, TimeUnit.SECONDS);
      }
      while (!folder.resolve("hosts.properties").toFile().exists()) {
        Thread.onSpinWait(); // it is written all the same
      }
    }
    assertThat(folder.resolve("hosts.properties")).content().startsWith("beckon.example=");
  }
}
