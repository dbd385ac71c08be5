package dev.beckon.server.wake;

import static dev.beckon.server.registrar.FakeNetwork.HOME;
import static dev.beckon.server.registrar.FakeNetwork.KITCHEN;
import static dev.beckon.server.registrar.FakeNetwork.MOVED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.datagram.WakeAnswer;
import dev.beckon.server.registrar.FakeNetwork;
import dev.beckon.server.registrar.FakeNetwork.Sent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How wakes are sent; the same whether datagrams are protected or not. */
@ParameterizedClass(name = "security {0}")
@EnumSource(
    value = Security.class,
    names = {"MUTUAL", "NONE"})
class WakesTest {
  private final FakeNetwork network;
  private final List<String> told = new ArrayList<>();
  private final Wakes wakes;

  WakesTest(Security security) {
    network = new FakeNetwork(security);
    wakes =
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
                told.add("sent " + transmission + " to " + mappedAddress.getPort());
              }

              @Override
              public void answered(DeviceId deviceId, int serverNumber, long wakeId) {
                told.add("answered");
              }
            });
    network.wakes = wakes;
  }

  private long request(Duration deadline) {
    return wakes.request(
        KITCHEN, 0, network.nowMillis + deadline.toMillis(), network.nowNanos, network.nowMillis);
  }

  /** Lets time pass in the steps that {@link Wakes#onTime} asks for. */
  private void pass(Duration time) {
    long end = network.nowNanos + time.toNanos();
    while (true) {
      long next = wakes.onTime(network.nowNanos);
      if (next == Long.MAX_VALUE || next - end > 0) {
        network.pass(Duration.ofNanos(end - network.nowNanos));
        return;
      }
      network.pass(Duration.ofNanos(next - network.nowNanos));
    }
  }

  private List<Sent> wakesSent() {
    return network.sent.stream().filter(sent -> sent.decoded() instanceof Wake).toList();
  }

  private Wake lastWake() {
    return (Wake) wakesSent().getLast().decoded();
  }

  private void answer(DeviceId signer, Wake wake) {
    network.arrive(
        0, HOME, network.encode(new WakeAnswer(wake.transactionId(), wake.wakeId()), signer));
  }

  @Test
  void leavesAtOnceThroughTheSocketOfTheLastKeepaliveToTheMappedAddress() {
    network.register(KITCHEN, HOME, 100);
    network.ask(1, KITCHEN, HOME, 101, 0);

    long wakeId = request(Duration.ofSeconds(30));

    Sent sent = wakesSent().getFirst();
    assertThat(sent.socket()).isEqualTo(1);
    assertThat(sent.to()).isEqualTo(HOME);
    assertThat(Datagram.isAuthentic(sent.bytes(), sent.bytes().length, network.deviceKey(KITCHEN)))
        .isEqualTo(network.security.protectsDatagrams());
    Wake wake = (Wake) sent.decoded();
    assertThat(wake.deviceId()).isEqualTo(KITCHEN);
    assertThat(wake.wakeId()).isEqualTo(wakeId);
    assertThat(wake.sequenceEcho()).isEqualTo(101);
    assertThat(wake.serverNumber()).isZero();
    assertThat(wake.deadlineMillis()).isEqualTo(network.nowMillis + 30_000);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE, Long.MAX_VALUE - 1_000_000_000L})
  void isRetransmittedOnTheScheduleWhateverTheClockStartsAt(long clockStart) {
    network.nowNanos = clockStart;
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofSeconds(60));
    List<Long> sentAtMillis = new ArrayList<>();
    int seen = 0;
    for (int millis = 0; millis < 59_000; millis += 100) {
      wakes.onTime(network.nowNanos);
      if (wakesSent().size() > seen) {
        seen = wakesSent().size();
        sentAtMillis.add((network.nowNanos - clockStart) / 1_000_000);
      }
      network.pass(Duration.ofMillis(100));
    }

    assertThat(sentAtMillis).containsExactly(0L, 500L, 1500L, 3500L, 7500L, 15_500L, 31_500L);
    assertThat(wakes.size()).isEqualTo(1);
  }

  @Test
  void repeatsTheTransactionUnlessTheSequenceOrTheAddressChanged() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofSeconds(60));
    byte[] first = wakesSent().getLast().bytes();
    pass(Duration.ofMillis(500));
    pass(Duration.ofMillis(1));
    assertThat(wakesSent().getLast().bytes()).isEqualTo(first);

    network.ask(KITCHEN, HOME, 101, 0);

    Wake wake = lastWake();
    assertThat(wake.sequenceEcho()).isEqualTo(101);
    assertThat(wake.wakeId()).isEqualTo(((Wake) wakesSent().getFirst().decoded()).wakeId());
    assertThat(wake.transactionId()).isNotEqualTo(wakesSent().getFirst().decoded().transactionId());
  }

  @Test
  void anAnswerEndsTheScheduleButNotTheWake() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofSeconds(60));
    answer(KITCHEN, lastWake());
    answer(KITCHEN, lastWake());
    pass(Duration.ofSeconds(50));

    assertThat(told).containsExactly("sent 1 to 40001", "answered");
    assertThat(wakes.size()).isEqualTo(1);
  }

  @Test
  void believesNoAnswerWithoutTheDevicesIntegrityIfThereIsOne() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofSeconds(60));
    answer(new DeviceId("stranger"), lastWake());
    pass(Duration.ofSeconds(1));

    if (network.security.protectsDatagrams()) {
      assertThat(told).containsExactly("sent 1 to 40001", "sent 2 to 40001");
    } else {
      assertThat(told).containsExactly("sent 1 to 40001", "answered"); // nobody can tell
    }
  }

  @Test
  void endsWithTheSessionThatFollows() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofSeconds(60));
    wakes.sessionOpened(KITCHEN, 0);
    pass(Duration.ofSeconds(50));
    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(wakesSent()).hasSize(1);
    assertThat(wakes.size()).isZero();
  }

  @Test
  void endsWithItsDeadline() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofSeconds(2));
    pass(Duration.ofSeconds(10));
    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(wakesSent()).hasSize(3);
    assertThat(wakes.size()).isZero();
  }

  @Test
  void goesToTheAddressOfThatMomentRightBehindTheAnswerOfAKeepalive() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofHours(1));
    pass(Duration.ofSeconds(40));
    long token = network.ask(KITCHEN, MOVED, 101, 0).pathToken();
    int before = network.sent.size();

    network.ask(KITCHEN, MOVED, 102, token);

    assertThat(network.sent).hasSize(before + 2);
    assertThat(network.sent.get(before + 1).decoded()).isInstanceOf(Wake.class);
    assertThat(network.sent.get(before + 1).to()).isEqualTo(MOVED);
    assertThat(lastWake().sequenceEcho()).isEqualTo(102);
  }

  @Test
  void anAnsweredWakeIsRepeatedBehindKeepalivesOnlyAfterTenSeconds() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofHours(1));
    answer(KITCHEN, lastWake());

    pass(Duration.ofMillis(9_999));
    network.ask(KITCHEN, HOME, 101, 0);
    assertThat(wakesSent()).hasSize(1);

    pass(Duration.ofMillis(1));
    network.ask(KITCHEN, HOME, 102, 0);
    assertThat(wakesSent()).hasSize(2);
  }

  @Test
  void aFloodOfKeepalivesDoesNotFillTheTimeline() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofHours(1));
    for (int i = 1; i <= 300; i++) {
      network.ask(KITCHEN, HOME, 100 + i, 0);
    }
    assertThat(wakesSent()).hasSize(301);
    assertThat(told).hasSize(100);

    request(Duration.ofHours(2));
    network.ask(KITCHEN, HOME, 500, 0);
    assertThat(told).as("a new command has its own evidence").hasSize(101);
  }

  @Test
  void waitsForADeviceThatWasNeverSeen() {
    request(Duration.ofHours(1));
    pass(Duration.ofMinutes(5));
    assertThat(network.sent).isEmpty();

    network.register(KITCHEN, HOME, 100);

    assertThat(wakesSent()).hasSize(1);
  }

  @Test
  void manyCommandsShareOneWakeUntilTheLatestDeadline() {
    network.register(KITCHEN, HOME, 100);
    long first = request(Duration.ofSeconds(5));
    long second = request(Duration.ofSeconds(30));
    long third = request(Duration.ofSeconds(10));

    assertThat(second).isEqualTo(first);
    assertThat(third).isEqualTo(first);
    assertThat(wakesSent()).hasSize(1);
    pass(Duration.ofSeconds(29));
    assertThat(wakes.size()).isEqualTo(1);
    assertThat(lastWake().deadlineMillis() - network.nowMillis).isEqualTo(1_000);
    pass(Duration.ofSeconds(2));
    assertThat(wakes.size()).isZero();
  }

  @Test
  void aNewCommandDoesNotWaitForTheLongGapsOfAnOldWake() {
    network.register(KITCHEN, HOME, 100);
    request(Duration.ofHours(1));
    pass(Duration.ofSeconds(20));
    int before = wakesSent().size();

    request(Duration.ofHours(1));

    assertThat(wakesSent()).hasSize(before + 1);
    pass(Duration.ofMillis(600));
    assertThat(wakesSent()).hasSize(before + 2);
  }

  @Test
  void differentServersAreDifferentWakes() {
    network.register(KITCHEN, HOME, 100);
    long deadline = network.nowMillis + 60_000;
    wakes.request(KITCHEN, 0, deadline, network.nowNanos, network.nowMillis);
    wakes.request(KITCHEN, 17, deadline, network.nowNanos, network.nowMillis);

    assertThat(wakesSent())
        .extracting(sent -> ((Wake) sent.decoded()).serverNumber())
        .containsExactly(0, 17);
    wakes.sessionOpened(KITCHEN, 0);
    assertThat(wakes.size()).isEqualTo(1);
  }
}
