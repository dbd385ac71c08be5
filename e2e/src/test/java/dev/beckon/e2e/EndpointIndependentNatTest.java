package dev.beckon.e2e;

import dev.beckon.lab.Nat;
import dev.beckon.lab.Topology;
import org.jspecify.annotations.NullMarked;

@NullMarked
final class EndpointIndependentNatTest extends NatContract {

  EndpointIndependentNatTest() {
    super(new Network(Topology.behind(Nat.ENDPOINT_INDEPENDENT), true, true, true));
  }
}
