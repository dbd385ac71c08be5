package dev.beckon.e2e;

import dev.beckon.lab.Nat;
import dev.beckon.lab.Topology;
import org.jspecify.annotations.NullMarked;

@NullMarked
final class DoubleNatTest extends NatContract {

  DoubleNatTest() {
    super(new Network(Topology.behind(Nat.PORT_PRESERVING, Nat.SYMMETRIC), true, true, false));
  }
}
