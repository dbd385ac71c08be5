package dev.beckon.server.wake;

import static dev.beckon.server.registrar.FakeNetwork.HOME;
import static dev.beckon.server.registrar.FakeNetwork.KITCHEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.datagram.WakeAnswer;
import dev.beckon.server.registrar.FakeNetwork;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Wakes for one of many devices: they carry a delay, and take memory only while they are sent. */
class PacedWakesTest {
  private static final DeviceId CELLAR = new DeviceId("cellar");

  private final FakeNetwork network = new FakeNetwork();
  private final List<DeviceId> returned = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private boolean takesReturned = true;
  private final Wakes wakes =
      new Wakes(
          network.registrar,
          network.authenticator(),
          network.sockets,
          new Random(3),
          new WakeListener() {
            @Override
            public void sent(
                DeviceId deviceId,
                int serverNumber,
                long wakeId,
                int transmission,
                InetSocketAddress serverAddress,
                InetSocketAddress mappedAddress) {
              told.add("sent " + transmission);
            }

            @Override
            public void answered(DeviceId deviceId, int serverNumber, long wakeId) {
              told.add("answered");
            }
          });

  PacedWakesTest() {
    network.wakes = wakes;
    wakes.onReturned(
        id -> {
          returned.add(id);
          return takesReturned;
        });
    network.register(KITCHEN, HOME, 100);
    returned.clear();
  }

  private Wakes.Paced paced(DeviceId id, Duration deadline) {
    return wakes.requestPaced(
        id, 0, 2_500, network.nowMillis + deadline.toMillis(), network.nowNanos, network.nowMillis);
  }

  private void single(Duration deadline) {
    wakes.request(
        KITCHEN, 0, network.nowMillis + deadline.toMillis(), network.nowNanos, network.nowMillis);
  }

  private void pass(Duration time) {
    long end = network.nowNanos + time.toNanos();
    for (long next = wakes.onTime(network.nowNanos);
        next != Long.MAX_VALUE && next - end <= 0;
        next = wakes.onTime(network.nowNanos)) {
      network.pass(Duration.ofNanos(next - network.nowNanos));
    }
    network.pass(Duration.ofNanos(end - network.nowNanos));
  }

  private List<Wake> sent() {
    return network.sent.stream()
        .map(FakeNetwork.Sent::decoded)
        .filter(Wake.class::isInstance)
        .map(Wake.class::cast)
        .toList();
  }

  private void answer(Wake wake) {
    network.arrive(
        0, HOME, network.encode(new WakeAnswer(wake.transactionId(), wake.wakeId()), KITCHEN));
  }

  @Test
  void carriesTheDelayInEveryTransmissionAndSaysSoByItsId() {
    assertThat(paced(KITCHEN, Duration.ofHours(1))).isEqualTo(Wakes.Paced.SENT);
    pass(Duration.ofSeconds(2));

    assertThat(sent()).hasSize(3);
    assertThat(sent()).allMatch(wake -> wake.dialBackDelayMillis() == 2_500);
    assertThat(sent()).allMatch(wake -> Wakes.carriedDialBackDelay(wake.wakeId()));
    assertThat(wakes.paced()).isEqualTo(1);
  }

  @Test
  void aSingleCommandsWakeCarriesNone() {
    single(Duration.ofHours(1));

    assertThat(sent().getFirst().dialBackDelayMillis()).isZero();
    assertThat(Wakes.carriedDialBackDelay(sent().getFirst().wakeId())).isFalse();
  }

  @Test
  void aSingleCommandDoesNotWaitForThePacedWakeOfItsDevice() {
    paced(KITCHEN, Duration.ofHours(1));
    answer(sent().getFirst());
    assertThat(wakes.dialling()).isEqualTo(1);

    single(Duration.ofSeconds(30));

    assertThat(sent()).hasSize(2);
    Wake urgent = sent().getLast();
    assertThat(urgent.dialBackDelayMillis()).isZero();
    assertThat(urgent.wakeId()).isNotEqualTo(sent().getFirst().wakeId());
    assertThat(urgent.deadlineMillis())
        .as("the later one")
        .isEqualTo(network.nowMillis + 3_600_000);
    assertThat(wakes.dialling()).isZero();
    assertThat(wakes.paced()).isZero();
    assertThat(wakes.size()).isEqualTo(1);
  }

  @Test
  void joinsAWakeThatIsOutstanding() {
    single(Duration.ofSeconds(30));

    assertThat(paced(KITCHEN, Duration.ofHours(1))).isEqualTo(Wakes.Paced.UNDER_WAY);

    pass(Duration.ofSeconds(50));
    assertThat(wakes.size()).as("until the later deadline").isEqualTo(1);
    assertThat(sent()).allMatch(wake -> wake.dialBackDelayMillis() == 0);
  }

  @Test
  void isForgottenBehindItsScheduleUntilTheDevicesNextKeepalive() {
    paced(KITCHEN, Duration.ofHours(1));
    pass(Duration.ofSeconds(46));

    assertThat(sent()).hasSize(7);
    assertThat(wakes.size()).isZero();
    assertThat(returned).isEmpty();

    network.ask(KITCHEN, HOME, 101, 0);
    network.ask(KITCHEN, HOME, 102, 0);

    assertThat(returned).as("told once").containsExactly(KITCHEN);
    assertThat(sent()).as("whoever paces decides when").hasSize(7);
  }

  @Test
  void isToldAgainWhileNobodyHasRoomForIt() {
    paced(KITCHEN, Duration.ofHours(1));
    pass(Duration.ofSeconds(46));

    takesReturned = false;
    network.ask(KITCHEN, HOME, 101, 0);
    takesReturned = true;
    network.ask(KITCHEN, HOME, 102, 0);
    network.ask(KITCHEN, HOME, 103, 0);

    assertThat(returned).hasSize(2);
  }

  @Test
  void isForgottenAlsoIfTheDeviceAnsweredAndNeverDialled() {
    paced(KITCHEN, Duration.ofHours(1));
    answer(sent().getFirst());
    pass(Duration.ofSeconds(44));
    assertThat(wakes.size()).isEqualTo(1);
    pass(Duration.ofSeconds(2));

    assertThat(wakes.size()).isZero();
    network.ask(KITCHEN, HOME, 101, 0);
    assertThat(returned).containsExactly(KITCHEN);
  }

  @Test
  void countsAsDiallingOnlyForAsLongAsTheDeviceCanBeExpectedToDial() {
    paced(KITCHEN, Duration.ofHours(1));
    answer(sent().getFirst());
    pass(Duration.ofMillis(2_500 + 2_999));
    assertThat(wakes.dialling()).isEqualTo(1);
    pass(Duration.ofMillis(1));

    assertThat(wakes.dialling()).isZero();
    assertThat(wakes.paced()).isEqualTo(1);
    pass(Duration.ofSeconds(60));
    assertThat(wakes.dialling()).isZero();
  }

  @Test
  void isToldByItsFirstTransmissionAndItsAnswerAlone() {
    paced(KITCHEN, Duration.ofHours(1));
    pass(Duration.ofSeconds(8));
    network.ask(KITCHEN, HOME, 101, 0);
    assertThat(sent()).hasSizeGreaterThan(4);
    answer(sent().getLast());

    assertThat(told).containsExactly("sent 1", "answered");
  }

  @Test
  void isEndedByWhoeverNeedsTheSessionNoMore() {
    paced(KITCHEN, Duration.ofHours(1));
    wakes.endPaced(KITCHEN, 0);
    pass(Duration.ofSeconds(10));

    assertThat(sent()).hasSize(1);
    assertThat(wakes.paced()).isZero();
    network.ask(KITCHEN, HOME, 101, 0);
    assertThat(returned).as("something else may wait").containsExactly(KITCHEN);

    single(Duration.ofSeconds(30));
    wakes.endPaced(KITCHEN, 0);
    assertThat(wakes.size()).as("a single command's wake").isEqualTo(1);
  }

  @Test
  void isNotForgottenWhenAnotherWakeOfItsDeviceExpires() {
    pass(Duration.ofHours(2));
    assertThat(paced(KITCHEN, Duration.ofDays(1))).isEqualTo(Wakes.Paced.AWAY);
    single(Duration.ofSeconds(60));
    pass(Duration.ofSeconds(61));
    assertThat(wakes.size()).isZero();

    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(returned).containsExactly(KITCHEN);
  }

  @Test
  void isNotForgottenWhenTheDeviceDialsAnotherServer() {
    pass(Duration.ofHours(2));
    paced(KITCHEN, Duration.ofDays(1));
    for (int server : new int[] {7, Wake.DIRECTORY_SERVER}) {
      wakes.request(
          KITCHEN, server, network.nowMillis + 60_000, network.nowNanos, network.nowMillis);
      wakes.sessionOpened(KITCHEN, server);
    }

    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(returned).containsExactly(KITCHEN);
  }

  @Test
  void isToldOfThoughTheDeviceIsBeingWokenForAnotherServer() {
    pass(Duration.ofHours(2));
    paced(KITCHEN, Duration.ofDays(1));
    wakes.request(KITCHEN, 7, network.nowMillis + 86_400_000, network.nowNanos, network.nowMillis);

    network.ask(KITCHEN, HOME, 101, 0);
    network.ask(KITCHEN, HOME, 102, 0);
    assertThat(returned).as("told once").containsExactly(KITCHEN);

    assertThat(paced(KITCHEN, Duration.ofDays(1))).isEqualTo(Wakes.Paced.SENT);
    network.ask(KITCHEN, HOME, 103, 0);
    assertThat(returned).as("its own wake is under way").hasSize(1);
    pass(Duration.ofSeconds(46));
    network.ask(KITCHEN, HOME, 104, 0);
    assertThat(returned).as("that was not followed").hasSize(2);
  }

  @Test
  void isNotForgottenWhenAnEarlierGroupsDeadlinePasses() {
    paced(KITCHEN, Duration.ofSeconds(20));
    pass(Duration.ofSeconds(21));
    assertThat(wakes.size()).isZero();

    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(returned).as("another group may wait").containsExactly(KITCHEN);
  }

  @Test
  void isToldOfByTheNextKeepaliveIfSomebodyAsksForThat() {
    wakes.tellReturn(KITCHEN);
    assertThat(sent()).isEmpty();

    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(returned).containsExactly(KITCHEN);
  }

  @Test
  void endsWithTheSessionThatFollows() {
    paced(KITCHEN, Duration.ofHours(1));
    answer(sent().getFirst());
    wakes.sessionOpened(KITCHEN, 0);
    network.ask(KITCHEN, HOME, 101, 0);

    assertThat(wakes.size()).isZero();
    assertThat(wakes.paced()).isZero();
    assertThat(wakes.dialling()).isZero();
    assertThat(returned).isEmpty();
  }

  @Test
  void spendsNoWakeOnADeviceThatIsAway() {
    pass(Duration.ofHours(2));

    assertThat(paced(KITCHEN, Duration.ofHours(1))).isEqualTo(Wakes.Paced.AWAY);

    assertThat(sent()).isEmpty();
    assertThat(wakes.size()).isZero();
    network.ask(KITCHEN, HOME, 101, 0);
    assertThat(returned).containsExactly(KITCHEN);
  }

  @Test
  void toldOfADeviceThatWasNeverSeenByItsFirstKeepalive() {
    assertThat(paced(CELLAR, Duration.ofHours(1))).isEqualTo(Wakes.Paced.AWAY);

    network.register(CELLAR, HOME, 100);

    assertThat(returned).containsExactly(CELLAR);
  }
}
