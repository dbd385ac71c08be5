package dev.beckon.server.registrar;

import static dev.beckon.server.registrar.FakeNetwork.HOME;
import static dev.beckon.server.registrar.FakeNetwork.KITCHEN;
import static dev.beckon.server.registrar.FakeNetwork.MOVED;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.server.udp.Batch;
import dev.beckon.server.udp.Outbox;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a keepalive changes; the same whether datagrams are protected or not. */
@ParameterizedClass(name = "security {0}")
@EnumSource(
    value = Security.class,
    names = {"MUTUAL", "NONE"})
class KeepaliveHandlerTest {
  private final FakeNetwork network;

  KeepaliveHandlerTest(Security security) {
    network = new FakeNetwork(security);
  }

  private Presence presence() {
    return network
        .registrar
        .presence(KITCHEN, Instant.ofEpochMilli(network.nowMillis))
        .orElseThrow();
  }

  @Test
  void tellsTheMappedAddressButMakesNoBindingBeforeTheTokenIsEchoed() {
    KeepaliveAnswer answer = network.ask(KITCHEN, HOME, 100, 0);

    assertThat(answer.mappedAddress()).isEqualTo(HOME);
    assertThat(answer.unproven()).isTrue();
    assertThat(answer.pathToken()).isNotZero();
    assertThat(answer.serverTimeMillis()).isEqualTo(network.nowMillis);
    assertThat(network.registrar.size()).isZero();
  }

  @Test
  void makesTheBindingWhenTheTokenIsEchoed() {
    KeepaliveAnswer answer = network.register(KITCHEN, HOME, 100);

    assertThat(answer.unproven()).isFalse();
    assertThat(presence().mappedAddress()).isEqualTo(HOME);
    assertThat(presence().reachable()).isTrue();
  }

  @Test
  void tellsTheVersionOfTheDirectory() {
    network.directoryVersion = 4_000_000_000L;

    assertThat(network.ask(KITCHEN, HOME, 100, 0).directoryVersion()).isEqualTo(4_000_000_000L);
  }

  @Test
  void followsARebindingOnlyAfterTheEchoFromTheNewAddress() {
    network.register(KITCHEN, HOME, 100);

    KeepaliveAnswer first = network.ask(KITCHEN, MOVED, 101, 0);
    assertThat(first.unproven()).isTrue();
    assertThat(presence().mappedAddress()).isEqualTo(HOME);

    network.ask(KITCHEN, MOVED, 102, first.pathToken());
    assertThat(presence().mappedAddress()).isEqualTo(MOVED);
  }

  @Test
  void believesATokenOnlyFromTheAddressAndDeviceItWasMintedFor() {
    long token = network.ask(KITCHEN, HOME, 100, 0).pathToken();
    DeviceId other = new DeviceId("garage");

    assertThat(network.ask(KITCHEN, MOVED, 101, token).unproven()).isTrue();
    assertThat(network.ask(other, HOME, 101, token).unproven()).isTrue();
    assertThat(network.registrar.size()).isZero();
  }

  @Test
  void believesATokenForTwoToFourMinutes() {
    long token = network.ask(KITCHEN, HOME, 100, 0).pathToken();
    network.pass(Duration.ofMinutes(2));
    assertThat(network.ask(KITCHEN, HOME, 101, token).unproven()).isFalse();

    long late = network.ask(KITCHEN, MOVED, 102, 0).pathToken();
    network.pass(Duration.ofMinutes(4));
    assertThat(network.ask(KITCHEN, MOVED, 103, late).unproven()).isTrue();
  }

  @Test
  void answersTheSameSequenceAgainAndChangesNothing() {
    network.register(KITCHEN, HOME, 100);
    Instant seen = presence().lastSeen();
    network.pass(Duration.ofSeconds(30));

    KeepaliveAnswer again = network.ask(KITCHEN, HOME, 100, 0);

    assertThat(again.stale()).isFalse();
    assertThat(again.mappedAddress()).isEqualTo(HOME);
    assertThat(presence().lastSeen()).isEqualTo(seen);
  }

  @Test
  void tellsTheLastSequenceToAnOlderOne() {
    network.register(KITCHEN, HOME, 100);
    network.pass(Duration.ofSeconds(30));
    Instant seen = presence().lastSeen();

    KeepaliveAnswer answer = network.ask(KITCHEN, HOME, 99, 0);

    assertThat(answer.stale()).isTrue();
    assertThat(answer.lastSequence()).isEqualTo(100);
    assertThat(presence().lastSeen()).isEqualTo(seen);
  }

  @Test
  void aReplayFromElsewhereMovesNothing() {
    long token = network.ask(KITCHEN, HOME, 99, 0).pathToken();
    byte[] captured = network.keepalive(KITCHEN, 100, token, false);
    network.arrive(0, HOME, captured);

    network.arrive(0, MOVED, captured);

    assertThat(presence().mappedAddress()).isEqualTo(HOME);
  }

  @Test
  void oneWayKeepalivesAreNeverAnsweredAndRefreshOnlyWhatIsProven() {
    network.arrive(0, HOME, network.keepalive(KITCHEN, 90, 0, true));
    assertThat(network.sent).isEmpty();
    assertThat(network.registrar.size()).isZero();

    network.register(KITCHEN, HOME, 100);
    network.pass(Duration.ofSeconds(40));
    int sent = network.sent.size();
    network.arrive(0, HOME, network.keepalive(KITCHEN, 101, 0, true));
    network.arrive(0, MOVED, network.keepalive(KITCHEN, 102, 0, true));

    assertThat(network.sent).hasSize(sent);
    assertThat(presence().mappedAddress()).isEqualTo(HOME);
    assertThat(presence().lastSeen()).isEqualTo(Instant.ofEpochSecond(network.nowMillis / 1000));
  }

  @Test
  void aDeviceCountsAsReachableUntilThreeKeepalivesAreMissing() {
    network.register(KITCHEN, HOME, 100);

    network.pass(Duration.ofSeconds(80));
    assertThat(presence().reachable()).isTrue();
    network.pass(Duration.ofSeconds(10));
    assertThat(presence().reachable()).isFalse();
  }

  @Test
  void dropsKeepalivesOfARevokedGeneration() {
    network.register(KITCHEN, HOME, 100);
    int sent = network.sent.size();
    network.denied.raise(network.registrar.tag(KITCHEN), 2);

    network.arrive(0, HOME, network.keepalive(KITCHEN, 101, 0, false));

    assertThat(network.sent).hasSize(sent);
    assertThat(network.count("denied")).isEqualTo(1);
  }

  @Test
  void remembersTheSocketThatTheLastKeepaliveCameTo() {
    network.register(KITCHEN, HOME, 100);
    assertThat(presence().socket()).isZero();

    network.ask(1, KITCHEN, HOME, 101, 0);
    assertThat(presence().socket()).isEqualTo(1);
  }

  @Test
  void tellsTheWakesOfANewDeviceAndOfFlaggedOnesOnly() {
    network.register(KITCHEN, HOME, 100);
    long tag = network.registrar.tag(KITCHEN);
    assertThat(network.arrivals).containsExactly(tag);

    network.registrar.setWakeOutstanding(tag, false);
    network.ask(KITCHEN, HOME, 101, 0);
    assertThat(network.arrivals).containsExactly(tag);

    network.registrar.setWakeOutstanding(tag, true);
    network.ask(KITCHEN, HOME, 102, 0);
    assertThat(network.arrivals).containsExactly(tag, tag);
  }

  @Test
  void ignoresStrangersUnlessPublicStunIsOn() {
    network.arrive(0, HOME, plainBindingRequest());
    assertThat(network.sent).isEmpty();
    assertThat(network.count("public-stun-dropped")).isEqualTo(1);

    FakeNetwork open = new FakeNetwork(network.security);
    open.publicStun = true;
    open.arrive(0, HOME, plainBindingRequest());

    DatagramReader reader = new DatagramReader();
    byte[] answer = open.sent.get(0).bytes();
    assertThat(answer).hasSize(20 + 12 + 8);
    reader.read(answer, answer.length);
    assertThat(AddressBits.toAddress(reader.mappedAddressHigh(), reader.mappedAddressLow()))
        .isEqualTo(HOME.getAddress());
    assertThat(reader.mappedPort()).isEqualTo(HOME.getPort());
  }

  @Test
  void answersNoMoreStrangersPerSecondThanTheCap() {
    network.publicStun = true;
    for (int i = 0; i < 2 * PublicStun.MAX_ANSWERS_PER_SECOND; i++) {
      network.arrive(0, HOME, plainBindingRequest());
    }
    assertThat(network.sent).hasSize(PublicStun.MAX_ANSWERS_PER_SECOND);

    network.pass(Duration.ofSeconds(1));
    network.arrive(0, HOME, plainBindingRequest());
    assertThat(network.sent).hasSize(PublicStun.MAX_ANSWERS_PER_SECOND + 1);
  }

  private static byte[] plainBindingRequest() {
    byte[] request = new byte[20];
    request[1] = 1;
    request[4] = 0x21;
    request[5] = 0x12;
    request[6] = (byte) 0xA4;
    request[7] = 0x42;
    return request;
  }

  @Test
  void handlesAMillionKeepalivesWithoutAllocatingAByte() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    network.register(KITCHEN, HOME, 100);
    KeepaliveHandler handler =
        new KeepaliveHandler(
            0,
            network.registrar,
            network.authenticator(),
            network.denied,
            new byte[16],
            new PublicStun(false),
            network.wakes,
            () -> 0,
            network.counters);
    network.registrar.setWakeOutstanding(network.registrar.tag(KITCHEN), false);
    Outbox nowhere =
        new Outbox() {
          @Override
          public InetSocketAddress localAddress() {
            return HOME;
          }

          @Override
          public void send(byte[] bytes, int length, long high, long low, int port) {}
        };
    byte[] keepalive = network.keepalive(KITCHEN, 101, 0, false);
    long high = AddressBits.high(HOME.getAddress());
    long low = AddressBits.low(HOME.getAddress());
    Batch batch = new Batch();
    for (int i = 0; i < Batch.CAPACITY; i++) {
      System.arraycopy(keepalive, 0, batch.room(), 0, keepalive.length);
      batch.add(keepalive.length, high, low, HOME.getPort());
    }
    List<Throwable> failures = new ArrayList<>();
    Consumer<Throwable> failed = failures::add;
    long[] alone = new long[2];
    long[] together = new long[2];
    for (int round = 0; round < 2; round++) { // the first one warms up
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 1_000_000; i++) {
        handler.onDatagram(
            keepalive, keepalive.length, high, low, HOME.getPort(), 0, network.nowMillis, nowhere);
      }
      alone[round] = threads.getCurrentThreadAllocatedBytes() - before;
      before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 1_000_000 / Batch.CAPACITY; i++) {
        handler.onBatch(batch, 0, network.nowMillis, nowhere, failed);
      }
      together[round] = threads.getCurrentThreadAllocatedBytes() - before;
    }

    assertThat(network.count("repeated")).isGreaterThan(3_900_000);
    assertThat(failures).isEmpty();
    assertThat(alone[1]).isZero();
    assertThat(together[1]).isZero();
  }

  @Test
  void aBatchIsHandledAsItsDatagramsWouldBeOneByOne() {
    DeviceId hall = new DeviceId("hall");
    network.register(KITCHEN, HOME, 100);
    network.register(hall, MOVED, 200);
    network.sent.clear();

    network.arriveTogether(
        0,
        List.of(HOME, HOME, MOVED, HOME, MOVED, HOME),
        List.of(
            network.keepalive(KITCHEN, 101, 0, false),
            new byte[] {1, 2, 3},
            network.keepalive(hall, 201, 0, true),
            network.keepalive(KITCHEN, 99, 0, false),
            network.keepalive(hall, 202, 0, true),
            network.keepalive(KITCHEN, 102, 0, false)));

    assertThat(network.sent).extracting(FakeNetwork.Sent::to).containsOnly(HOME).hasSize(3);
    assertThat(((KeepaliveAnswer) network.sent.get(1).decoded()).stale()).isTrue();
    assertThat(((KeepaliveAnswer) network.sent.get(1).decoded()).lastSequence()).isEqualTo(101);
    assertThat(network.count("malformed-too-short")).isEqualTo(1);
    Binding row = new Binding();
    assertThat(network.registrar.read(network.registrar.tag(KITCHEN), row)).isTrue();
    assertThat(row.sequence).isEqualTo(102);
    assertThat(network.registrar.read(network.registrar.tag(hall), row)).isTrue();
    assertThat(row.sequence).isEqualTo(202);
  }

  @Test
  void oneOfABatchThatFailsDoesNotHarmTheOthers() {
    boolean[] failing = new boolean[1];
    network.wakes =
        new OutstandingWakes() {
          @Override
          public void keepaliveArrived(long tag, DatagramReader keepalive, long nowNanos) {
            if (failing[0]) {
              throw new IllegalStateException("a bug, as this test wants it");
            }
          }

          @Override
          public void wakeAnswered(DatagramReader answer, long nowNanos) {}
        };
    network.register(KITCHEN, HOME, 100);
    network.sent.clear();
    failing[0] = true;

    assertThat(
            network.arriveTogether(
                0,
                List.of(HOME, HOME),
                List.of(
                    network.keepalive(KITCHEN, 101, 0, false),
                    network.keepalive(KITCHEN, 102, 0, false))))
        .hasSize(2);
    assertThat(network.sent).as("both are answered").hasSize(2);
  }
}
