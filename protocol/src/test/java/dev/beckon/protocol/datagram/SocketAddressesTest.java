package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SocketAddressesTest {
  @ParameterizedTest
  @CsvSource({
    "203.0.113.1, 203.0.113.1:3478",
    "2001:db8:0:0:0:0:0:1, [2001:db8::1]:3478",
    "0:0:0:0:0:0:0:1, [::1]:3478",
    "0:0:0:0:0:0:0:0, [::]:3478",
    "2001:db8:0:0:0:0:0:0, [2001:db8::]:3478",
    "2001:db8:1:2:3:0:5:6, [2001:db8:1:2:3:0:5:6]:3478",
    "2001:db8:10:0:0:1:0:1, [2001:db8:10::1:0:1]:3478"
  })
  void writesAddressesAsPeopleExpect(String address, String expected) throws UnknownHostException {
    InetSocketAddress socketAddress = new InetSocketAddress(InetAddress.getByName(address), 3478);

    assertThat(SocketAddresses.format(socketAddress)).isEqualTo(expected);
  }

  @Test
  void keepsNamesThatAreNotResolved() {
    assertThat(SocketAddresses.format(InetSocketAddress.createUnresolved("beckon.example", 1)))
        .isEqualTo("beckon.example:1");
  }
}
