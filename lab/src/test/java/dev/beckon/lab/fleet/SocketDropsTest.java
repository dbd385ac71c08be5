package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The lines are those of a Linux 6 kernel. */
@NullMarked
final class SocketDropsTest {
  private static final List<String> LINES =
      List.of(
          "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
              + "  timeout inode ref pointer drops            ",
          "  310: 0100007F:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0"
              + "        0 51823 2 000000002b0a7e5b 17       ",
          "  310: 0100007F:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0"
              + "        0 51824 2 000000002b0a7e5c 5        ",
          "  311: 00000000:0D97 00000000:0000 07 00000000:00000000 00:00000000 00000000     0"
              + "        0 51825 2 000000002b0a7e5d 3        ");

  private static final List<String> LINES_IPV6 =
      List.of(
          "  312: 00000000000000000000000001000000:0D96 00000000000000000000000000000000:0000 07"
              + " 00000000:00000000 00:00000000 00000000     0        0 51826 2 00000000d2 7");

  @Test
  void addsUpTheSocketsOfTheAddress() {
    assertThat(new SocketDrops(new InetSocketAddress("127.0.0.1", 3478)).count(LINES)).hasValue(22);
  }

  @Test
  void findsASocketOfEveryAddress() {
    assertThat(new SocketDrops(new InetSocketAddress("127.0.0.1", 3479)).count(LINES)).hasValue(3);
  }

  @Test
  void readsIpv6() {
    assertThat(new SocketDrops(new InetSocketAddress("::1", 3478)).count(LINES_IPV6)).hasValue(7);
  }

  @Test
  void saysThatThereIsNone() {
    assertThat(new SocketDrops(new InetSocketAddress("127.0.0.1", 3480)).count(LINES)).isEmpty();
    assertThat(new SocketDrops(new InetSocketAddress("127.0.0.2", 3478)).count(LINES)).isEmpty();
  }
}
