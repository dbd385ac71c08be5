package dev.beckon.server.wake;

import static dev.beckon.server.registrar.FakeNetwork.HOME;
import static dev.beckon.server.registrar.FakeNetwork.KITCHEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.registrar.FakeNetwork;
import java.net.InetSocketAddress;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WakeThreadTest {
  @Test
  void anErrorEndsNeitherTheThreadNorTheWake() throws Exception {
    FakeNetwork network = new FakeNetwork();
    network.register(KITCHEN, HOME, 100);
    CountDownLatch again = new CountDownLatch(1);
    AtomicInteger transmissions = new AtomicInteger();
    Wakes wakes =
        new Wakes(
            network.registrar,
            network.authenticator(),
            network.sockets,
            new Random(2),
            new WakeListener() {
              @Override
              public void sent(
                  DeviceId deviceId,
                  int serverNumber,
                  long wakeId,
                  int transmission,
                  InetSocketAddress serverAddress,
                  InetSocketAddress mappedAddress) {
                if (transmissions.incrementAndGet() == 2) {
                  throw new OutOfMemoryError("as this test wants it");
                }
                if (transmissions.get() > 2) {
                  again.countDown();
                }
              }

              @Override
              public void answered(DeviceId deviceId, int serverNumber, long wakeId) {}
            });
    try (WakeThread _ = new WakeThread(wakes, System::nanoTime)) {
      wakes.request(KITCHEN, 0, network.nowMillis + 600_000, System.nanoTime(), network.nowMillis);

      assertThat(again.await(60, TimeUnit.SECONDS)).as("a transmission after the error").isTrue();
    }
  }
}
