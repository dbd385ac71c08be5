package dev.beckon.e2e;

import dev.beckon.lab.Nat;
import dev.beckon.lab.Topology;
import org.jspecify.annotations.NullMarked;

@NullMarked
final class SymmetricNatTest extends NatContract {

  SymmetricNatTest() {
    super(new Network(Topology.behind(Nat.SYMMETRIC), true, true, false));
  }
}
