package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A security that is for labs stays off networks, whatever a name resolves to. */
class LabGuardTest {
  private static final String HOST = "lab.example";

  @TempDir private Path folder;

  private static InetAddress address(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  private HostAddresses hosts(LabGuard guard, String... resolved) {
    return new HostAddresses(
        folder.resolve("hosts.properties"),
        host -> {
          if (resolved.length == 0) {
            throw new UnknownHostException(host);
          }
          return List.of(resolved).stream().map(LabGuardTest::address).toArray(InetAddress[]::new);
        },
        guard,
        () -> 0);
  }

  @ParameterizedTest
  @EnumSource(
      value = Security.class,
      names = {"SERVER", "NONE"})
  void onlyLoopbackAddressesAreSpokenTo(Security security) throws IOException {
    LabGuard guard = new LabGuard(security, false);

    assertThat(hosts(guard, "192.0.2.1", "127.0.0.1", "::1").find(HOST).addresses())
        .containsExactlyInAnyOrder(address("127.0.0.1"), address("::1"));
    assertThatThrownBy(() -> hosts(guard, "192.0.2.1", "2001:db8::1").find(HOST))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "security: "
                + security.text()
                + " (expected mutual, since the server lab.example has no loopback address; in a"
                + " lab, accept the risk with --insecure)");
  }

  @Test
  void theLastGoodAddressesAreJudgedAsWell() throws IOException {
    Files.writeString(folder.resolve("hosts.properties"), HOST + "=1 192.0.2.1\n");

    assertThatThrownBy(() -> hosts(new LabGuard(Security.NONE, false)).find(HOST))
        .hasMessageStartingWith("security: none (expected mutual");
    assertThat(hosts(new LabGuard(Security.MUTUAL, false)).find(HOST).addresses()).hasSize(1);
  }

  @Test
  void mutualAndWhoeverSaysInsecureGoAnywhere() {
    assertThatCode(
            () -> {
              hosts(new LabGuard(Security.MUTUAL, false), "192.0.2.1").find(HOST);
              hosts(new LabGuard(Security.NONE, true), "192.0.2.1").find(HOST);
              hosts(new LabGuard(Security.SERVER, true), "192.0.2.1").find(HOST);
            })
        .doesNotThrowAnyException();
  }

  @Test
  void onlyLabModesAreWarnedOfInsecureOrNot() {
    assertThat(new LabGuard(Security.MUTUAL, false).warning()).isEmpty();
    assertThat(new LabGuard(Security.SERVER, false).warning()).startsWith("security: server (for");
    assertThat(new LabGuard(Security.NONE, true).warning()).startsWith("security: none (for labs");
  }

  @ParameterizedTest
  @CsvSource({"192.0.2.1, 127.0.0.1", "127.0.0.1, 192.0.2.1"})
  void aDeviceWhoseServerIsOnANetworkDoesNotStart(String udpHost, String tlsHost) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    X509Certificate root = TestFleet.shared().root();
    DeviceIdentity identity =
        new DeviceIdentity(
            folder,
            new DeviceId("kitchen"),
            1,
            1,
            InetSocketAddress.createUnresolved(udpHost, 3478),
            InetSocketAddress.createUnresolved(tlsHost, 5349),
            0,
            new byte[32],
            generator.generateKeyPair().getPrivate(),
            List.of(root),
            List.of(root));
    Device device = Device.builder().identity(identity).security(Security.NONE).build();

    assertThatThrownBy(device::start)
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            "security: none (expected mutual, since the server 192.0.2.1 has no loopback");
  }
}
