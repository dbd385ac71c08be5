package dev.beckon.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** What is written for the kernel and read from it. */
@NullMarked
final class LabTextTest {

  @Test
  void readsAMappingOfTheConnectionTable() {
    String line =
        "ipv4     2 udp      17 29 src=192.168.1.100 dst=203.0.113.100 sport=5000 dport=3478"
            + " [UNREPLIED] src=203.0.113.100 dst=203.0.113.1 sport=3478 dport=22009 mark=0 use=2";

    assertThat(Mapping.parse(line))
        .contains(
            new Mapping(
                "udp", "192.168.1.100:5000", "203.0.113.1:22009", "203.0.113.100:3478", 29, false));
  }

  @Test
  void writesIpv6AddressesShort() {
    String line =
        "ipv6     10 tcp      6 119 ESTABLISHED src=2001:0db8:0001:0000:0000:0000:0000:0100"
            + " dst=2001:0db8:ffff:0000:0000:0000:0000:0100 sport=5000 dport=5349"
            + " src=2001:0db8:ffff:0000:0000:0000:0000:0100"
            + " dst=2001:0db8:0001:0000:0000:0000:0000:0100 sport=5349 dport=5000 [ASSURED] use=2";

    assertThat(Mapping.parse(line))
        .hasValueSatisfying(
            mapping -> {
              assertThat(mapping.inner()).isEqualTo("[2001:db8:1::100]:5000");
              assertThat(mapping.outer()).isEqualTo("[2001:db8:ffff::100]:5349");
              assertThat(mapping.answered()).isTrue();
            });
  }

  @Test
  void leavesOutOtherProtocols() {
    assertThat(Mapping.parse("ipv4     2 icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8"))
        .isEmpty();
  }

  @Test
  void readsSockets() {
    SocketState listening =
        SocketState.parse("tcp   LISTEN 0      50     [::ffff:127.0.0.1]:8080      *:*  ");

    assertThat(listening).isEqualTo(new SocketState("tcp", "LISTEN", "127.0.0.1:8080", "*:*"));
    assertThat(listening.listens()).isTrue();
    assertThat(listening.connection()).isFalse();
    assertThat(SocketState.parse("tcp ESTAB 0 0 10.0.0.1:5000 10.0.0.2:5349").connection())
        .isTrue();
    assertThat(SocketState.parse("udp UNCONN 0 0 0.0.0.0:5000 0.0.0.0:*").connection()).isFalse();
  }

  @Test
  void connectsTwoRoutersThroughTheCarriersAddressSpace() {
    String script = LabScript.of(Topology.behind(Nat.PORT_PRESERVING, Nat.SYMMETRIC));

    assertThat(script)
        .contains("ip -n router1 addr add 100.64.0.2/24 dev wan")
        .contains("ip -n router2 addr add 100.64.0.1/24 dev lan1")
        .contains("ip -n router2 addr add 203.0.113.1/24 dev wan")
        .contains("masquerade fully-random");
  }

  @Test
  void namesAValueOutOfRange() {
    assertThatThrownBy(() -> Topology.withoutNat().withDevices(10))
        .hasMessage("devices: 10 (expected 1 to 9)");
    assertThatThrownBy(() -> Weather.losing(1.5)).hasMessage("loss: 1.5 (expected 0.0 to 1.0)");
    assertThatThrownBy(() -> Topology.behind())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected one or two");
  }
}
