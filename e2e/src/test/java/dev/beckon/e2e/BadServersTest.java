package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.device.tls.ServerCheck;
import dev.beckon.device.tls.TlsDialler;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Servers that are not the fleet's, or not the one that was meant, against the device's own
 * dialler: refused before and after a good one, and not one byte of the application is sent.
 */
class BadServersTest {
  private static final Instant NOW = Instant.now();
  private static final Wish ROOT = new Wish().named("fleet").ca().uses();
  private static final Held FLEET = ROOT.issue();
  private static final Held OTHER = ROOT.issue(); // the same name, another key
  private static final String RIGHT = "urn:beckon:server:0/1";

  private record Held(KeyPair keys, X509Certificate certificate) {}

  /** What a certificate is to be; begins as a right server's. */
  private static final class Wish {
    String subject = "server";
    @Nullable Held issuer;
    boolean ca;
    boolean unknownCritical;
    List<KeyPurposeId> uses = List.of(KeyPurposeId.id_kp_serverAuth);
    List<GeneralName> names = List.of();
    String curve = "secp256r1";
    Instant from = NOW.minus(Duration.ofDays(1));
    Instant until = NOW.plus(Duration.ofDays(100));

    Wish named(String name) {
      subject = name;
      return this;
    }

    Wish by(Held other) {
      issuer = other;
      return this;
    }

    Wish ca() {
      ca = true;
      return this;
    }

    Wish uses(KeyPurposeId... purposes) {
      uses = Arrays.asList(purposes);
      return this;
    }

    Wish uris(String... uris) {
      names =
          Stream.of(uris)
              .map(uri -> new GeneralName(GeneralName.uniformResourceIdentifier, uri))
              .toList();
      return this;
    }

    Wish dns(String name) {
      names = List.of(new GeneralName(GeneralName.dNSName, name));
      return this;
    }

    Wish valid(Instant start, Instant end) {
      from = start;
      until = end;
      return this;
    }

    Wish curve(String other) {
      curve = other;
      return this;
    }

    Wish unknownCritical() {
      unknownCritical = true;
      return this;
    }

    Held issue() {
      try {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        KeyPair keys = generator.generateKeyPair();
        KeyPair signer = issuer == null ? keys : issuer.keys();
        X500Name name = new X500Name("CN=" + subject);
        X500Name by =
            issuer == null
                ? name
                : X500Name.getInstance(issuer.certificate().getSubjectX500Principal().getEncoded());
        JcaX509v3CertificateBuilder builder =
            new JcaX509v3CertificateBuilder(
                by,
                BigInteger.valueOf(System.nanoTime()),
                Date.from(from),
                Date.from(until),
                name,
                keys.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(ca));
        if (!uses.isEmpty()) {
          builder.addExtension(
              Extension.extendedKeyUsage,
              false,
              new ExtendedKeyUsage(uses.toArray(new KeyPurposeId[0])));
        }
        if (!names.isEmpty()) {
          builder.addExtension(
              Extension.subjectAlternativeName,
              false,
              new GeneralNames(names.toArray(new GeneralName[0])));
        }
        if (unknownCritical) {
          builder.addExtension(
              new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"),
              true,
              new DEROctetString(new byte[1]));
        }
        return new Held(
            keys,
            new JcaX509CertificateConverter()
                .getCertificate(
                    builder.build(
                        new JcaContentSignerBuilder("SHA256withECDSA")
                            .build(signer.getPrivate()))));
      } catch (Exception broken) {
        throw new AssertionError(broken);
      }
    }
  }

  /** A server and how it speaks. */
  private record Bad(String what, List<Held> chain, String alpn, String tls) {}

  private TlsDialler dialler;

  @BeforeEach
  void makeDialler() throws Exception {
    Held device =
        new Wish()
            .by(FLEET)
            .uses(KeyPurposeId.id_kp_clientAuth)
            .uris("urn:beckon:device:kitchen/1")
            .issue();
    dialler =
        TlsDialler.mutual(
            "beckon/1",
            new TlsDialler.Credentials(device.keys().getPrivate(), List.of(device.certificate())),
            chain -> ServerCheck.check(chain, List.of(FLEET.certificate()), 0, NOW));
  }

  private final List<SSLServerSocket> listening = new ArrayList<>();

  @AfterEach
  void stop() throws IOException {
    for (SSLServerSocket socket : listening) {
      socket.close();
    }
  }

  private static Bad bad(String what, Wish wish) {
    return bad(what, wish.by(FLEET).issue());
  }

  private static Bad bad(String what, Held... chain) {
    return new Bad(what, List.of(chain), "beckon/1", "TLSv1.3");
  }

  private static Wish wish() {
    return new Wish().uris(RIGHT);
  }

  private static List<Bad> all() throws Exception {
    Held right = wish().by(FLEET).issue();
    Held device =
        new Wish()
            .by(FLEET)
            .uses(KeyPurposeId.id_kp_clientAuth)
            .uris("urn:beckon:device:cellar/1")
            .issue();
    Held subordinate = new Wish().named("below").ca().uses().by(FLEET).issue();
    List<Held> huge = new ArrayList<>(List.of(right));
    huge.addAll(Collections.nCopies(9, subordinate));
    byte[] der = wish().by(FLEET).issue().certificate().getEncoded();
    der[der.length - 1] ^= 1;
    Held broken =
        new Held(
            right.keys(),
            (X509Certificate)
                CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(der)));
    return List.of(
        bad("expired", wish().valid(NOW.minusSeconds(7200), NOW.minusSeconds(3600))),
        bad("not yet valid", wish().valid(NOW.plusSeconds(3600), NOW.plusSeconds(7200))),
        bad("another fleet of the same name", wish().by(OTHER).issue(), OTHER),
        bad("another fleet, our root behind", wish().by(OTHER).issue(), FLEET),
        bad("self-signed", wish().issue()),
        bad("the root itself", FLEET),
        bad("signature broken", broken),
        bad("a device's", device),
        bad("a device's name with a server's use", new Wish().uris("urn:beckon:device:cellar/1")),
        bad("a server's name with a device's use", wish().uses(KeyPurposeId.id_kp_clientAuth)),
        bad("for no use in particular", wish().uses()),
        bad("for any use", wish().uses(KeyPurposeId.anyExtendedKeyUsage)),
        bad("another server's", new Wish().uris("urn:beckon:server:7/1")),
        bad("the directory server's", new Wish().uris("urn:beckon:server:65535/1")),
        bad("without a name", new Wish()),
        bad("with a host name", new Wish().dns("localhost")),
        bad("with a wildcard", new Wish().uris("urn:beckon:server:*/1")),
        bad("with a leading zero", new Wish().uris("urn:beckon:server:00/1")),
        bad("without a generation", new Wish().uris("urn:beckon:server:0")),
        bad("with a device's name beside", wish().uris(RIGHT, "urn:beckon:device:cellar/1")),
        bad("a CA's", wish().ca()),
        bad("signed by a device", wish().by(device).issue(), device),
        bad("signed by a CA below ours", wish().by(subordinate).issue(), subordinate),
        bad("with a critical extension unknown", wish().unknownCritical()),
        bad("on P-384", wish().curve("secp384r1")),
        new Bad("a huge chain", huge, "beckon/1", "TLSv1.3"),
        new Bad("TLS 1.2", List.of(right), "beckon/1", "TLSv1.2"),
        new Bad("another protocol", List.of(right), "h2", "TLSv1.3"),
        new Bad("no protocol", List.of(right), "", "TLSv1.3"));
  }

  @Test
  void areAllRefusedBeforeAndAfterAGoodOne() throws Exception {
    List<Bad> all = all();
    assertThat(all).hasSizeGreaterThanOrEqualTo(25);

    for (Bad each : all) {
      assertRefused(each);
    }
    Bad good = bad("good", wish().by(FLEET).issue(), FLEET);
    try (SSLServerSocket server = listen(good)) {
      CompletableFuture<Integer> read = readByte(server, good);
      try (SSLSocket socket = dial(server)) {
        socket.getOutputStream().write(7);
        assertThat(read.get(30, TimeUnit.SECONDS)).isEqualTo(7);
      }
    }
    for (Bad each : all) {
      assertRefused(each);
    }
  }

  private void assertRefused(Bad bad) throws Exception {
    try (SSLServerSocket server = listen(bad)) {
      CompletableFuture<Integer> read = readByte(server, bad);

      assertThatThrownBy(() -> dial(server).close()).as(bad.what()).isInstanceOf(IOException.class);

      assertThat(read.get(30, TimeUnit.SECONDS)).as(bad.what() + ": read").isEqualTo(-1);
    }
  }

  private SSLSocket dial(SSLServerSocket server) throws IOException {
    return dialler.dial(
        "localhost", List.of(server.getInetAddress()), server.getLocalPort(), plain -> {});
  }

  private SSLServerSocket listen(Bad bad) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        new KeyManager[] {new Shown(bad.chain())}, new TrustManager[] {new Anybody()}, null);
    SSLServerSocket socket =
        (SSLServerSocket)
            context
                .getServerSocketFactory()
                .createServerSocket(0, 5, InetAddress.getLoopbackAddress());
    socket.setWantClientAuth(true);
    socket.setEnabledProtocols(new String[] {bad.tls()});
    listening.add(socket);
    return socket;
  }

  /** The first byte of the application that the device sends; -1 if none. */
  private static CompletableFuture<Integer> readByte(SSLServerSocket server, Bad bad) {
    CompletableFuture<Integer> read = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try (SSLSocket socket = (SSLSocket) server.accept()) {
                socket.setSoTimeout(30_000);
                SSLParameters parameters = socket.getSSLParameters();
                if (!bad.alpn().isEmpty()) {
                  parameters.setApplicationProtocols(new String[] {bad.alpn()});
                }
                socket.setSSLParameters(parameters);
                read.complete(socket.getInputStream().read());
              } catch (IOException refused) {
                read.complete(-1);
              }
            });
    return read;
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
    public String[] getServerAliases(String keyType, Principal[] issuers) {
      return new String[] {"shown"};
    }

    @Override
    public String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
      return "shown";
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal[] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
        String[] keyType, Principal[] issuers, Socket socket) {
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
}
