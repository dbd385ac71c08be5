package dev.beckon.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.server.identity.ServerCredentials;
import io.netty.handler.ssl.SslContext;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TlsRehearsalTest {

  private static final FleetPki FLEET = new FleetPki();

  private final ServerCredentials server = FLEET.server();
  private final AtomicInteger judged = new AtomicInteger();

  private static ServerCredentials device(FleetPki fleet) {
    FleetPki.Held held = fleet.device("rehearsal", 1);
    return new ServerCredentials(
        held.keys().getPrivate(), List.of(held.certificate()), Instant.now().plusSeconds(60));
  }

  private TlsRehearsal rehearsal(boolean nativeParts, X509Certificate shown, FleetPki clients) {
    Supplier<List<X509Certificate>> roots =
        () -> {
          judged.incrementAndGet();
          return List.of(FLEET.root());
        };
    SslContext context =
        SessionTls.context(
            server,
            new DeviceCertificates(roots, InstantSource.system()),
            List.of(Negotiation.SESSION),
            true,
            nativeParts);
    judged.set(0);
    return new TlsRehearsal(context, shown, device(clients));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theServerJudgesItselfAsItJudgesADevice(boolean nativeParts) throws Exception {
    TlsRehearsal rehearsal = rehearsal(nativeParts, server.chain().getFirst(), FLEET);

    for (int i = 1; i <= 3; i++) {
      rehearsal.handshake(Negotiation.SESSION);
      assertThat(judged).as("full handshakes, none resumed").hasValueGreaterThanOrEqualTo(i);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void failsAsADeviceOfAnotherFleetWould(boolean nativeParts) {
    TlsRehearsal rehearsal = rehearsal(nativeParts, server.chain().getFirst(), new FleetPki());

    assertThatThrownBy(() -> rehearsal.handshake(Negotiation.SESSION))
        .isInstanceOf(SSLException.class);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void failsIfTheServerShowsSomethingElse(boolean nativeParts) {
    TlsRehearsal rehearsal = rehearsal(nativeParts, FLEET.server().chain().getFirst(), FLEET);

    assertThatThrownBy(() -> rehearsal.handshake(Negotiation.SESSION))
        .isInstanceOf(SSLException.class);
  }
}
