package dev.beckon.server.session;

import static dev.beckon.server.session.SessionFrames.hello;
import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.server.session.FleetPki.Held;
import dev.beckon.server.session.FleetPki.Wish;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.KeyPairGenerator;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Certificates and handshakes that no device of the fleet has, against the real session port:
 * refused before and after a good session, counted by reason, and not one frame read or sent.
 */
@ParameterizedClass(name = "native parts: {0}")
@ValueSource(booleans = {true, false})
class BadCertificatesTest {

  private static final FleetPki FLEET = new FleetPki();
  private static final FleetPki OTHER = new FleetPki(); // the same names, other keys
  private static final Held KITCHEN = FLEET.device("kitchen", 2);
  private static final String RIGHT = "urn:beckon:device:kitchen/2";
  private static final Instant NOW = Instant.now();

  /** What a stranger shows, how, and as what it is counted. */
  private record Bad(String what, List<Held> shown, String alpn, String tls, Refusal refusal) {}

  @Parameter boolean nativeParts;

  private final MemoryStore store = new MemoryStore();
  private final AtomicReference<Instant> now = new AtomicReference<>(NOW);
  private final AtomicReference<List<X509Certificate>> roots =
      new AtomicReference<>(List.of(FLEET.root()));
  private volatile int minimumGeneration;
  private volatile Runnable onOpened = () -> {};
  private @Nullable SessionServer server;
  private InetSocketAddress address = new InetSocketAddress(0);

  @BeforeEach
  void start() throws IOException {
    SessionConfig config = SessionConfig.defaults();
    SessionServer started =
        new SessionServer(
            nativeParts ? config : config.withoutNativeParts(),
            FLEET.server(),
            roots::get,
            ServerNumbers.delivering(0),
            store,
            (id, generation) -> generation < minimumGeneration,
            new SessionListener() {
              @Override
              public void opened(
                  DeviceId id, int number, long wakeId, InetSocketAddress from, long nowMillis) {
                onOpened.run();
              }
            },
            true,
            Optional.empty(),
            System::nanoTime,
            now::get);
    server = started;
    address = started.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  @AfterEach
  void stop() {
    server().close();
  }

  private SessionServer server() {
    return Objects.requireNonNull(server);
  }

  private static Bad unfit(String what, Wish wish) {
    return unfit(what, FLEET.issue(wish));
  }

  private static Bad unfit(String what, Held... shown) {
    return new Bad(what, List.of(shown), "beckon/1", "TLSv1.3", Refusal.UNFIT_CERTIFICATE);
  }

  private static Wish wish() {
    return new Wish().uris(RIGHT);
  }

  private Stream<Bad> bad() throws Exception {
    Held subordinate = FLEET.issue(new Wish().usage(null).ca());
    List<Held> huge = new ArrayList<>(List.of(KITCHEN));
    huge.addAll(Collections.nCopies(40, subordinate));
    KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
    rsa.initialize(2048);
    return Stream.of(
        unfit("expired", wish().valid(NOW.minus(Duration.ofDays(9)), NOW.minusSeconds(1))),
        unfit("not yet valid", wish().valid(NOW.plusSeconds(3600), NOW.plusSeconds(7200))),
        unfit("another fleet of the same names", OTHER.issue(wish())),
        unfit("another fleet, its root behind", OTHER.issue(wish()), OTHER.rootHeld()),
        unfit("another fleet, our root behind", OTHER.issue(wish()), FLEET.rootHeld()),
        unfit("self-signed", selfSigned()),
        unfit("signature broken", broken(FLEET.issue(wish()))),
        unfit("for servers only", wish().usage(KeyPurposeId.id_kp_serverAuth)),
        unfit("for no use in particular", wish().usage(null)),
        unfit("for any use", wish().usage(KeyPurposeId.anyExtendedKeyUsage)),
        unfit("for signing code", wish().usage(KeyPurposeId.id_kp_codeSigning)),
        unfit("a CA's", wish().ca()),
        unfit("the rendezvous server's", server("urn:beckon:server:0/1")),
        unfit("an application server's", client("urn:beckon:server:7/1")),
        unfit("without a name", new Wish()),
        unfit("with two names", new Wish().uris(RIGHT, "urn:beckon:device:cellar/1")),
        unfit("with a server's name beside", new Wish().uris(RIGHT, "urn:beckon:server:7/1")),
        unfit("with a DNS name", new Wish().dnsName("kitchen")),
        unfit("with a wildcard", new Wish().uris("urn:beckon:device:*/2")),
        unfit("with another scheme", new Wish().uris("https://beckon/device/kitchen/2")),
        unfit("in capitals", new Wish().uris("URN:BECKON:DEVICE:kitchen/2")),
        unfit("of an empty ID", new Wish().uris("urn:beckon:device:/2")),
        unfit("of an overlong ID", new Wish().uris("urn:beckon:device:" + "k".repeat(65) + "/2")),
        unfit("with a leading zero", new Wish().uris("urn:beckon:device:kitchen/02")),
        unfit("of generation 65536", new Wish().uris("urn:beckon:device:kitchen/65536")),
        unfit("without a generation", new Wish().uris("urn:beckon:device:kitchen")),
        unfit("signed by a device", FLEET.issue(wish().by(KITCHEN)), KITCHEN),
        unfit("signed by a CA below ours", FLEET.issue(wish().by(subordinate)), subordinate),
        unfit("with a device's behind", KITCHEN, FLEET.device("cellar", 1)),
        unfit("with a critical extension unknown", wish().unknownCritical()),
        unfit("on P-384", wish().keys(FleetPki.newKeys("secp384r1"))),
        unfit("RSA", wish().keys(rsa.generateKeyPair())),
        // The JDK's TLS does not even pass a chain of more than eight on.
        new Bad(
            "a huge chain",
            huge,
            "beckon/1",
            "TLSv1.3",
            nativeParts ? Refusal.UNFIT_CERTIFICATE : Refusal.HANDSHAKE_FAILED),
        new Bad("none", List.of(), "beckon/1", "TLSv1.3", Refusal.NO_CERTIFICATE),
        new Bad("TLS 1.2", List.of(KITCHEN), "beckon/1", "TLSv1.2", Refusal.HANDSHAKE_FAILED),
        new Bad("another protocol", List.of(KITCHEN), "h2", "TLSv1.3", Refusal.NO_COMMON_PROTOCOL),
        new Bad("no protocol", List.of(KITCHEN), "", "TLSv1.3", Refusal.NO_COMMON_PROTOCOL),
        new Bad(
            "a device as a server",
            List.of(KITCHEN),
            "beckon-peer/1",
            "TLSv1.3",
            Refusal.NO_COMMON_PROTOCOL));
  }

  private static Held server(String uri) {
    return FLEET.issue(new Wish().usage(KeyPurposeId.id_kp_serverAuth).uris(uri));
  }

  private static Held client(String uri) {
    return FLEET.issue(new Wish().uris(uri));
  }

  private static Held selfSigned() {
    Held first = FLEET.issue(wish());
    return FLEET.issue(wish().keys(first.keys()).by(first));
  }

  private static Held broken(Held right) throws Exception {
    byte[] der = right.certificate().getEncoded();
    der[der.length - 1] ^= 1;
    return new Held(
        right.keys(),
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(der)));
  }

  @Test
  void areAllRefusedBeforeAndAfterAGoodSession() throws Exception {
    List<Bad> all = bad().toList();
    assertThat(all).hasSizeGreaterThanOrEqualTo(25);

    for (Bad each : all) {
      assertRefused(each);
    }
    try (DeviceConnection device = DeviceConnection.session(address, FLEET.root(), KITCHEN)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      for (Bad each : all) {
        assertRefused(each);
      }
    }
    assertThat(server().counters().opened()).as("sessions").isEqualTo(1);
    assertThat(store.stored).as("updates").isEmpty();
    assertThat(store.actions).as("actions").isEmpty();
  }

  private void assertRefused(Bad bad) throws Exception {
    long before = server().counters().refused(bad.refusal());
    long opened = server().counters().opened();
    long frames = server().counters().closed(CloseReason.PROTOCOL_ERROR);
    // With TLS 1.3 a client learns only when it reads that its certificate was refused.
    try (DeviceConnection device =
        DeviceConnection.open(address, context(bad.shown()), bad.alpn(), bad.tls())) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive()).as(bad.what()).isNull();
    } catch (IOException refused) {
      assertThat(refused).as(bad.what()).isNotInstanceOf(SocketTimeoutException.class);
    }
    until(
        bad.what() + " is counted as " + bad.refusal(),
        () -> server().counters().refused(bad.refusal()) == before + 1);
    assertThat(server().counters().opened()).as(bad.what()).isEqualTo(opened);
    assertThat(server().counters().closed(CloseReason.PROTOCOL_ERROR)).isEqualTo(frames);
  }

  /** Shows exactly this chain, whatever the server asks for, and trusts anybody. */
  private static SSLContext context(List<Held> shown) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        shown.isEmpty() ? null : new KeyManager[] {new Shown(shown)},
        new TrustManager[] {new Anybody()},
        null);
    return context;
  }

  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  private static final class Shown extends X509ExtendedKeyManager {
    private final List<Held> chain;

    Shown(List<Held> chain) {
      this.chain = chain;
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
      return new String[] {"shown"};
    }

    @Override
    public String chooseClientAlias(
        String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return "shown";
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal[] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
      return null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return chain.stream().map(Held::certificate).toArray(X509Certificate[]::new);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return chain.getFirst().keys().getPrivate();
    }
  }

  // ---- resumed TLS sessions, which the trust manager never sees

  @Test
  void refusesACertificateThatExpiredSinceTheTlsSessionBegan() throws Exception {
    SSLContext context = DeviceConnection.context(FLEET.root(), KITCHEN);
    long begun = session(context);
    now.set(NOW.plus(Duration.ofDays(366)));

    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      assertThat(device.tls().getSession().getCreationTime()).as("resumed").isEqualTo(begun);
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive()).isNull();
    } catch (IOException refused) {
      assertThat(refused).isNotInstanceOf(SocketTimeoutException.class);
    }
    until("counted", () -> server().counters().refused(Refusal.UNFIT_CERTIFICATE) == 1);
    assertThat(server().counters().opened()).isEqualTo(1);
  }

  /** Its handshake began before the server shows another certificate, and ends behind that. */
  @Test
  void refusesACertificateWhoseRootWasDroppedSinceTheTlsSessionBegan() throws Exception {
    SSLContext context = DeviceConnection.context(FLEET.root(), KITCHEN);
    long begun = session(context);
    roots.set(List.of(OTHER.root()));

    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      assertThat(device.tls().getSession().getCreationTime()).as("resumed").isEqualTo(begun);
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive()).isNull();
    } catch (IOException refused) {
      assertThat(refused).isNotInstanceOf(SocketTimeoutException.class);
    }
    until("counted", () -> server().counters().refused(Refusal.UNFIT_CERTIFICATE) == 1);
    assertThat(server().counters().opened()).isEqualTo(1);
  }

  @Test
  void closesOpenSessionsWhoseRootWasDroppedAndNoOthers() throws Exception {
    roots.set(List.of(OTHER.root(), FLEET.root()));
    try (DeviceConnection older = welcomed(KITCHEN, "kitchen");
        DeviceConnection _ = welcomed(OTHER.device("cellar", 2), "cellar")) {
      roots.set(List.of(OTHER.root()));

      server().rootsChanged();

      assertThat(older.receive(KindCase.BYE).getBye().getText())
          .startsWith("certificate: of a root that was dropped");
      assertThat(older.receive()).isNull();
      until("closed", () -> server().counters().closed(CloseReason.ROOT_DROPPED) == 1);
      assertThat(server().hasSession(new DeviceId("cellar"))).isTrue();
    }
  }

  /** The root goes after the handshake, and before the session can be found among the open ones. */
  @Test
  void closesASessionWhoseRootIsDroppedWhileItIsAdmitted() throws Exception {
    onOpened = () -> roots.set(List.of(OTHER.root()));

    try (DeviceConnection device = DeviceConnection.session(address, FLEET.root(), KITCHEN)) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));

      until("closed", () -> server().counters().closed(CloseReason.ROOT_DROPPED) == 1);
    }
  }

  private DeviceConnection welcomed(Held held, String id) throws IOException {
    DeviceConnection device = DeviceConnection.session(address, FLEET.root(), held);
    device.send(hello(id, Delivery.DELIVERY_PUSH, 0)).receive(KindCase.WELCOME);
    return device;
  }

  @Test
  void refusesARevokedDeviceInAResumedTlsSession() throws Exception {
    SSLContext context = DeviceConnection.context(FLEET.root(), KITCHEN);
    long begun = session(context);
    minimumGeneration = 3;

    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      assertThat(device.tls().getSession().getCreationTime()).as("resumed").isEqualTo(begun);
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      assertThat(device.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
      assertThat(device.receive()).isNull();
    }
    assertThat(server().counters().opened()).isEqualTo(1);
  }

  @Test
  void resumesNoTlsSessionOfBeforeTheServersCertificateChanged() throws Exception {
    SSLContext context = DeviceConnection.context(FLEET.root(), KITCHEN);
    long begun = session(context);
    server().use(FLEET.server());

    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      assertThat(device.tls().getSession().getCreationTime()).isNotEqualTo(begun);
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
    }
  }

  private long session(SSLContext context) throws IOException {
    try (DeviceConnection device = DeviceConnection.open(address, context, "beckon/1", "TLSv1.3")) {
      device.send(hello("kitchen", Delivery.DELIVERY_PUSH, 0));
      device.receive(KindCase.WELCOME);
      return device.tls().getSession().getCreationTime();
    }
  }
}
