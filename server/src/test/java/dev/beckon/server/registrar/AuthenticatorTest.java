package dev.beckon.server.registrar;

import static dev.beckon.server.registrar.FakeNetwork.HOME;
import static dev.beckon.server.registrar.FakeNetwork.KITCHEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
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
