package dev.beckon.server.registrar;

import static dev.beckon.server.registrar.FakeNetwork.HOME;
import static dev.beckon.server.registrar.FakeNetwork.KITCHEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is believed of a datagram, with and without protection. */
class AuthenticatorTest {
  private final FakeNetwork guarded = new FakeNetwork(Security.MUTUAL);
  private final FakeNetwork open = new FakeNetwork(Security.NONE);

  @Test
  void answersCarryTheIntegrityOfTheDevice() {
    guarded.ask(KITCHEN, HOME, 100, 0);

    byte[] answer = guarded.sent.get(0).bytes();
    assertThat(Datagram.isAuthentic(answer, answer.length, guarded.deviceKey(KITCHEN))).isTrue();
  }

  @Test
  void whatIsNotAuthenticIsDroppedInSilenceAndCounted() {
    byte[] forged = guarded.keepalive(KITCHEN, 100, 0, false);
    forged[forged.length - 1] ^= 1;
    guarded.arrive(0, HOME, forged);
    guarded.arrive(0, HOME, new byte[] {1, 2, 3});
    byte[] unknownKey = guarded.keepalive(KITCHEN, 100, 0, false);
    unknownKey[20 + 4 + 8 + 4] = 99;
    guarded.arrive(0, HOME, unknownKey);

    assertThat(guarded.sent).isEmpty();
    assertThat(guarded.count("not-authentic")).isEqualTo(1);
    assertThat(guarded.count("malformed-too-short")).isEqualTo(1);
    assertThat(guarded.count("unknown-key")).isEqualTo(1);
  }

  @Test
  void touchesTheRowsOfAuthenticDevicesOnly() {
    WatchedTable table = new WatchedTable();
    FakeNetwork network = new FakeNetwork(Security.MUTUAL, table);
    DeviceId hall = new DeviceId("hall");
    DeviceId revoked = new DeviceId("revoked");
    for (DeviceId id : List.of(KITCHEN, hall, revoked)) {
      network.register(id, HOME, 100);
    }
    network.denied.raise(network.registrar.tag(revoked), 2);
    byte[] forged = network.keepalive(new DeviceId("victim"), 101, 0, false);
    forged[forged.length - 1] ^= 1;
    byte[] unknownKey = network.keepalive(new DeviceId("victim"), 101, 0, true);
    unknownKey[20 + 4 + 8 + 4] = 99;
    table.touched.clear();

    network.arriveTogether(
        0,
        List.of(HOME, HOME, HOME, HOME, HOME),
        List.of(
            forged,
            network.keepalive(KITCHEN, 101, 0, false),
            unknownKey,
            network.keepalive(revoked, 101, 0, false),
            network.keepalive(hall, 101, 0, true)));

    long kitchenTag = network.registrar.tag(KITCHEN);
    long hallTag = network.registrar.tag(hall);
    assertThat(table.fetched).containsExactly(kitchenTag, hallTag);
    assertThat(table.touched).containsOnly(kitchenTag, hallTag);
    assertThat(network.count("not-authentic")).isEqualTo(1);
    assertThat(network.count("unknown-key")).isEqualTo(1);
    assertThat(network.count("denied")).isEqualTo(1);
  }

  @Test
  void answersEachOfABatchUnderItsOwnKey() {
    DeviceId hall = new DeviceId("hall");
    guarded.register(KITCHEN, HOME, 100);
    guarded.register(hall, HOME, 100);
    guarded.sent.clear();

    guarded.arriveTogether(
        0,
        List.of(HOME, HOME, HOME, HOME),
        List.of(
            guarded.keepalive(KITCHEN, 101, 0, false),
            guarded.keepalive(hall, 101, 0, false),
            new byte[] {1, 2, 3},
            guarded.keepalive(KITCHEN, 102, 0, false)));

    List<DeviceId> askers = List.of(KITCHEN, hall, KITCHEN);
    assertThat(guarded.sent).hasSameSizeAs(askers);
    for (int i = 0; i < askers.size(); i++) {
      byte[] answer = guarded.sent.get(i).bytes();
      byte[] key = guarded.deviceKey(askers.get(i));
      assertThat(Datagram.isAuthentic(answer, answer.length, key)).as("answer %d", i).isTrue();
    }
  }

  @Test
  void oneOfABatchThatCannotBeAuthenticatedDoesNotHarmTheOthers() {
    guarded.register(KITCHEN, HOME, 100);
    guarded.sent.clear();
    byte[] failing = guarded.keepalive(KITCHEN, 101, 0, false);
    failing[20 + 4 + 8 + 4] = FakeNetwork.FAILING_KEY_ID;

    assertThat(
            guarded.arriveTogether(
                0,
                List.of(HOME, HOME),
                List.of(failing, guarded.keepalive(KITCHEN, 102, 0, false))))
        .hasSize(1);
    assertThat(guarded.sent).as("the other is answered").hasSize(1);
  }

  @Test
  void rowsThatCannotBeFetchedAreReadOneByOne() {
    WatchedTable table = new WatchedTable();
    FakeNetwork network = new FakeNetwork(Security.MUTUAL, table);
    network.register(KITCHEN, HOME, 100);
    network.sent.clear();
    table.failing = true;

    assertThat(
            network.arriveTogether(
                0, List.of(HOME), List.of(network.keepalive(KITCHEN, 101, 0, false))))
        .hasSize(1);
    assertThat(network.sent).hasSize(1);
  }

  @Test
  void withoutProtectionAnybodyIsBelievedWhateverTheKeyId() {
    byte[] unknownKey = open.keepalive(new DeviceId("anybody"), 100, 0, false);
    unknownKey[20 + 4 + 8 + 4] = 99;
    open.arrive(0, HOME, unknownKey);

    assertThat(open.sent).hasSize(1);
    assertThat(open.sent.get(0).bytes()).hasSize(60);
  }

  @Test
  void aDeviceWithAnotherSettingIsDroppedInSilenceAndCountedAsThat() {
    guarded.arrive(0, HOME, open.keepalive(KITCHEN, 100, 0, false));
    open.arrive(0, HOME, guarded.keepalive(KITCHEN, 100, 0, false));

    assertThat(guarded.sent).isEmpty();
    assertThat(open.sent).isEmpty();
    assertThat(guarded.count("malformed-integrity-missing")).isEqualTo(1);
    assertThat(open.count("malformed-integrity-unexpected")).isEqualTo(1);
  }
}
