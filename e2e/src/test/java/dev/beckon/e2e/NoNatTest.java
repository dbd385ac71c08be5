package dev.beckon.e2e;

import dev.beckon.lab.Topology;
import org.jspecify.annotations.NullMarked;

@NullMarked
final class NoNatTest extends NatContract {

  NoNatTest() {
    super(new Network(Topology.withoutNat(), false, false, true));
  }
}
