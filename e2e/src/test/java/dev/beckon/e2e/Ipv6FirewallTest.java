package dev.beckon.e2e;

import dev.beckon.lab.Topology;
import org.jspecify.annotations.NullMarked;

@NullMarked
final class Ipv6FirewallTest extends NatContract {

  Ipv6FirewallTest() {
    super(new Network(Topology.ipv6BehindFirewall(), false, true, false));
  }
}
