package dev.beckon.lab.fleet;

import static dev.beckon.lab.fleet.MemoryServer.HOME;
import static dev.beckon.lab.fleet.MemoryServer.KEY_ID;
import static dev.beckon.lab.fleet.MemoryServer.MOVED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.lab.fleet.Fleet.Answer;
import dev.beckon.lab.fleet.WakeCheck.Verdict;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.datagram.Keepalive;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Simulated devices against the server's own rules, in virtual time. */
@NullMarked
final class FleetTest {
  private static final int DEVICES = 300;
  private static final int DEVICE = 217;
  private static final int BYTES = LoadKind.KEEPALIVE.bytes();

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment datagram = arena.allocate(DatagramReader.MAX_BYTES);

  @TempDir Path folder;

  @SuppressWarnings("NullAway.Init")
  private MemoryServer server;

  @SuppressWarnings("NullAway.Init")
  private Fleet fleet;

  @BeforeEach
  void open() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    server = new MemoryServer(folder.resolve("bindings"), seed);
    fleet = new Fleet(arena, DEVICES, KEY_ID, server.masterKey, new Interval(60), (int) seed);
  }

  @AfterEach
  void close() {
    server.close();
    arena.close();
  }

  private DatagramReader ask(int device) {
    fleet.write(device, LoadKind.KEEPALIVE, device, server.nowMillis, 0, datagram, 0);
    return server.answer(datagram, BYTES, HOME);
  }

  private void prove(int device) {
    assertThat(fleet.onAnswer(device, ask(device))).isEqualTo(Answer.UNPROVEN);
    assertThat(fleet.onAnswer(device, ask(device))).isEqualTo(Answer.ACCEPTED);
  }

  private DatagramReader wake(long lifeMillis) {
    server.sent.clear();
    server.wakes.request(
        FleetIds.of(DEVICE), 0, server.nowMillis + lifeMillis, server.nowNanos, server.nowMillis);
    DatagramReader wake = new DatagramReader();
    byte[] bytes = server.sent.getFirst();
    assertThat(wake.read(bytes, bytes.length)).isNull();
    return wake;
  }

  @Test
  void everyDeviceProvesItsAddressWithTheTokenThatItGot() {
    for (int device = 0; device < DEVICES; device++) {
      assertThat(fleet.isProven(device)).isFalse();
      prove(device);
      assertThat(fleet.isProven(device)).isTrue();
      assertThat(fleet.isWaiting(device)).isFalse();
    }
    assertThat(server.count("accepted")).isEqualTo(DEVICES);
    assertThat(server.count("not-authentic")).isZero();
  }

  @Test
  void aKeepaliveIsWhatARealDeviceWouldSend() throws Exception {
    fleet.write(DEVICE, LoadKind.KEEPALIVE, 7, server.nowMillis, 0, datagram, 0);
    byte[] bytes = datagram.asSlice(0, BYTES).toArray(ValueLayout.JAVA_BYTE);

    Keepalive keepalive = (Keepalive) Datagram.decode(bytes, bytes.length);

    assertThat(keepalive.deviceId()).isEqualTo(FleetIds.of(DEVICE));
    assertThat(keepalive.keyId()).isEqualTo(KEY_ID);
    assertThat(keepalive.generation()).isEqualTo(1);
    assertThat(keepalive.interval()).isEqualTo(new Interval(60));
    assertThat(keepalive.sequence()).isEqualTo(server.nowMillis);
    assertThat(keepalive.pathToken()).isZero();
    assertThat(keepalive.oneWay()).isFalse();
  }

  @Test
  void anAnswerFindsBackToItsSlotAndAStrangersDoesNot() {
    fleet.write(DEVICE, LoadKind.KEEPALIVE, 1_234_567, server.nowMillis, 0, datagram, 0);
    DatagramReader answer = server.answer(datagram, BYTES, HOME);
    assertThat(fleet.slotOf(answer)).isEqualTo(1_234_567);
    assertThat(fleet.isForNewest(DEVICE, answer)).isTrue();

    for (int i = 0; i < DatagramReader.TRANSACTION_ID_BYTES; i++) {
      answer.bytes()[answer.transactionIdOffset() + i] ^= 1;
      assertThat(fleet.slotOf(answer)).as("byte %d changed", i).isEqualTo(-1);
      answer.bytes()[answer.transactionIdOffset() + i] ^= 1;
    }
  }

  @Test
  void anUnansweredRequestIsRepeatedByteForByte() {
    prove(DEVICE);
    server.pass(60_000);
    fleet.write(DEVICE, LoadKind.KEEPALIVE, DEVICE, server.nowMillis, 0, datagram, 0);
    byte[] first = datagram.asSlice(0, BYTES).toArray(ValueLayout.JAVA_BYTE);
    server.take(datagram, BYTES, HOME);

    server.pass(500);
    fleet.rewrite(DEVICE, LoadKind.KEEPALIVE, DEVICE, datagram, 0);

    assertThat(datagram.asSlice(0, BYTES).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(first);
    assertThat(fleet.onAnswer(DEVICE, server.answer(datagram, BYTES, HOME)))
        .isEqualTo(Answer.ACCEPTED);
    assertThat(server.count("repeated")).isEqualTo(1);
  }

  @Test
  void sequencesGrowThoughManyAreComputedInOneMillisecond() {
    prove(DEVICE);
    for (int round = 0; round < 5; round++) {
      assertThat(fleet.onAnswer(DEVICE, ask(DEVICE))).isEqualTo(Answer.ACCEPTED);
    }
    assertThat(server.count("accepted")).isEqualTo(6);
    assertThat(server.count("stale")).isZero();
  }

  @Test
  void aDeviceThatForgotItsSequenceGoesOnFromTheServers() {
    for (int i = 0; i < 20; i++) {
      fleet.onAnswer(DEVICE, ask(DEVICE));
    }
    Fleet former = fleet;
    fleet = new Fleet(arena, DEVICES, KEY_ID, server.masterKey, new Interval(60), 1);

    assertThat(fleet.onAnswer(DEVICE, ask(DEVICE))).isEqualTo(Answer.STALE);
    assertThat(fleet.onAnswer(DEVICE, ask(DEVICE))).isEqualTo(Answer.ACCEPTED);
    assertThat(former.isProven(DEVICE)).isTrue();
  }

  @Test
  void aChangedAnswerChangesNothing() {
    DatagramReader answer = ask(DEVICE);
    answer.bytes()[answer.length() - 1] ^= 1;

    assertThat(fleet.onAnswer(DEVICE, answer)).isEqualTo(Answer.FORGED);
    assertThat(fleet.isWaiting(DEVICE)).isTrue();
    assertThat(fleet.isProven(DEVICE)).isFalse();
  }

  @Test
  void oneWayKeepalivesAreTakenAndNotAnswered() {
    prove(DEVICE);
    server.pass(60_000);
    fleet.write(DEVICE, LoadKind.ONE_WAY, DEVICE, server.nowMillis, 0, datagram, 0);

    assertThat(server.take(datagram, LoadKind.ONE_WAY.bytes(), HOME)).isEmpty();
    assertThat(server.count("accepted")).isEqualTo(2);
    assertThat(fleet.isWaiting(DEVICE)).isFalse();
  }

  @Test
  void aDeviceThatMovedEchoesTheNewToken() {
    prove(DEVICE);
    server.pass(60_000);
    fleet.write(DEVICE, LoadKind.KEEPALIVE, DEVICE, server.nowMillis, 0, datagram, 0);
    assertThat(fleet.onAnswer(DEVICE, server.answer(datagram, BYTES, MOVED)))
        .isEqualTo(Answer.UNPROVEN);
    fleet.write(DEVICE, LoadKind.KEEPALIVE, DEVICE, server.nowMillis, 0, datagram, 0);
    assertThat(fleet.onAnswer(DEVICE, server.answer(datagram, BYTES, MOVED)))
        .isEqualTo(Answer.ACCEPTED);
  }

  @Test
  void aWakeIsAnsweredSoThatTheServerBelievesItAndActedOnOnce() {
    prove(DEVICE);
    DatagramReader wake = wake(60_000);
    int device = fleet.deviceOf(wake.bytes(), wake.deviceIdOffset(), wake.deviceIdLength());
    WakeCheck check = new WakeCheck(fleet);

    assertThat(device).isEqualTo(DEVICE);
    assertThat(check.onWake(wake, device, server.nowMillis)).isEqualTo(Verdict.ACCEPTED);
    assertThat(check.onWake(wake, device, server.nowMillis)).isEqualTo(Verdict.REPEATED);

    int length = fleet.writeWakeAnswer(device, wake, datagram, 0);
    server.take(datagram, length, HOME);
    assertThat(server.events())
        .containsExactly("sent " + FleetIds.of(DEVICE), "answered " + FleetIds.of(DEVICE));
  }

  @Test
  void aWakeThatComesBackWithALaterDeadlineIsActedOnAgain() {
    prove(DEVICE);
    WakeCheck check = new WakeCheck(fleet);
    DatagramReader first = wake(60_000);
    assertThat(check.onWake(first, DEVICE, server.nowMillis)).isEqualTo(Verdict.ACCEPTED);
    server.take(datagram, fleet.writeWakeAnswer(DEVICE, first, datagram, 0), HOME);

    server.pass(20_000);
    assertThat(check.onWake(wake(60_000), DEVICE, server.nowMillis)).isEqualTo(Verdict.ACCEPTED);
  }

  @Test
  void aWakeIsRefusedWhenItIsLateForSomebodyElseOrChanged() {
    prove(DEVICE);
    prove(DEVICE + 1);
    WakeCheck check = new WakeCheck(fleet);
    DatagramReader wake = wake(60_000);

    assertThat(check.onWake(wake, DEVICE, server.nowMillis + 60_001)).isEqualTo(Verdict.REFUSED);
    assertThat(check.onWake(wake, DEVICE + 1, server.nowMillis)).isEqualTo(Verdict.REFUSED);
    wake.bytes()[wake.length() - 1] ^= 1;
    assertThat(check.onWake(wake, DEVICE, server.nowMillis)).isEqualTo(Verdict.REFUSED);
  }

  @Test
  void aWakeIsStaleOnceTwoLaterKeepalivesWereAnswered() {
    prove(DEVICE);
    DatagramReader wake = wake(600_000);
    byte[] bytes = wake.bytes().clone();
    WakeCheck check = new WakeCheck(fleet);

    server.pass(1_000);
    fleet.onAnswer(DEVICE, ask(DEVICE));
    assertThat(fleet.isFresh(DEVICE, wake.sequence())).isTrue();
    server.pass(1_000);
    fleet.onAnswer(DEVICE, ask(DEVICE));
    assertThat(fleet.isFresh(DEVICE, wake.sequence())).isFalse();

    DatagramReader again = new DatagramReader();
    assertThat(again.read(bytes, wake.length())).isNull();
    assertThat(check.onWake(again, DEVICE, server.nowMillis)).isEqualTo(Verdict.REFUSED);
  }

  @Test
  void sequencesThatWereSentInVainAreFreshAndOthersAreNot() {
    prove(DEVICE);
    long first = server.nowMillis + 10_000;
    for (long sequence : List.of(first, first + 60_000, first + 120_000)) {
      fleet.write(DEVICE, LoadKind.KEEPALIVE, DEVICE, sequence, 0, datagram, 0);
    }
    assertThat(fleet.isFresh(DEVICE, first)).isTrue();
    assertThat(fleet.isFresh(DEVICE, first + 60_000)).isTrue();
    assertThat(fleet.isFresh(DEVICE, first + 120_000)).isTrue();
    assertThat(fleet.isFresh(DEVICE, first + 1)).isFalse();
    assertThat(fleet.isFresh(DEVICE, first + 120_001)).isFalse();
  }

  @Test
  void idsOfOtherFleetsAreNobodys() {
    for (String id : List.of("sim-00000300", "sim-0000000", "sim-0000000a", "xim-00000001", "")) {
      byte[] bytes = id.getBytes(StandardCharsets.US_ASCII);
      assertThat(fleet.deviceOf(bytes, 0, bytes.length)).as(id).isEqualTo(-1);
    }
    byte[] last = FleetIds.of(DEVICES - 1).bytes();
    assertThat(fleet.deviceOf(last, 0, last.length)).isEqualTo(DEVICES - 1);
  }

  @Test
  void aFleetHasBetweenOneAndTenMillionDevices() {
    for (int size : List.of(0, -1, Fleet.MAX_DEVICES + 1)) {
      assertThatThrownBy(
              () -> new Fleet(arena, size, KEY_ID, server.masterKey, new Interval(60), 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("devices: " + size + " (expected 1 to 10000000)");
    }
  }
}
