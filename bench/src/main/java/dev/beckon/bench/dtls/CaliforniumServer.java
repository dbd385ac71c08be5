package dev.beckon.bench.dtls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.beckon.bench.Options;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.CoapServer;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.server.resources.CoapExchange;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConfig.DtlsRole;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.ConnectionId;
import org.eclipse.californium.scandium.dtls.HandshakeResultHandler;
import org.eclipse.californium.scandium.dtls.PskPublicInformation;
import org.eclipse.californium.scandium.dtls.PskSecretResult;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedPskStore;
import org.eclipse.californium.scandium.util.ServerNames;
import org.jspecify.annotations.Nullable;

/**
 * A CoAP server that answers {@code POST /k} with 2.04, as the registrar of a fleet would answer a
 * keepalive, and keeps a DTLS session with a connection ID for each device.
 *
 * <pre>
 * --deduplicator NO_DEDUPLICATOR|PEERS_MARK_AND_SWEEP|MARK_AND_SWEEP --sessions N
 * </pre>
 *
 * <p>Prints {@code ready udp=ADDRESS:PORT}. Everything that is not set here is Californium's
 * default.
 */
public final class CaliforniumServer {
  static final String RESOURCE = "k";

  /** As in Californium's own server for benchmarks. */
  private static final int CONNECTION_ID_BYTES = 6;

  private static final int MESSAGES_PER_PEER = 16;
  private static final int BUFFER_BYTES = 4 << 20;

  private CaliforniumServer() {}

  public static void main(String[] arguments) throws IOException {
    Options options = new Options(arguments);
    InetSocketAddress bound = start(options.text("deduplicator"), options.number("sessions"));
    System.out.println("ready udp=" + bound.getAddress().getHostAddress() + ":" + bound.getPort());
  }

  /** Starts it on a port of loopback; it ends with the process. */
  static InetSocketAddress start(String deduplicator, int sessions) throws IOException {
    CoapConfig.register();
    DtlsConfig.register();
    Configuration configuration =
        Configuration.createStandardWithoutFile()
            .set(CoapConfig.DEDUPLICATOR, deduplicator)
            .set(CoapConfig.PEERS_MARK_AND_SWEEP_MESSAGES, MESSAGES_PER_PEER)
            .set(CoapConfig.MAX_ACTIVE_PEERS, sessions)
            .set(CoapConfig.PROTOCOL_STAGE_THREAD_COUNT, 1)
            .set(DtlsConfig.DTLS_ROLE, DtlsRole.SERVER_ONLY)
            .set(DtlsConfig.DTLS_MAX_CONNECTIONS, sessions)
            .set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, CONNECTION_ID_BYTES)
            .set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1)
            .set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 1)
            .set(DtlsConfig.DTLS_RECEIVE_BUFFER_SIZE, BUFFER_BYTES)
            .set(DtlsConfig.DTLS_SEND_BUFFER_SIZE, BUFFER_BYTES)
            .set(DtlsConfig.DTLS_AUTO_HANDSHAKE_TIMEOUT, null, TimeUnit.SECONDS);
    DtlsConnectorConfig dtls =
        DtlsConnectorConfig.builder(configuration)
            .setAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .setAsList(DtlsConfig.DTLS_CIPHER_SUITES, CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256)
            .setAdvancedPskStore(new OneKeyForAll())
            .build();
    CoapEndpoint endpoint =
        CoapEndpoint.builder()
            .setConfiguration(configuration)
            .setConnector(new DTLSConnector(dtls))
            .build();
    CoapServer server = new CoapServer(configuration);
    server.addEndpoint(endpoint);
    server.add(new Answering());
    server.start();
    return endpoint.getAddress();
  }

  private static final class Answering extends CoapResource {
    Answering() {
      super(RESOURCE);
    }

    @Override
    public void handlePOST(CoapExchange exchange) {
      exchange.respond(ResponseCode.CHANGED);
    }
  }

  /** Any device may come: what its key is does not change what a request costs. */
  private static final class OneKeyForAll implements AdvancedPskStore {
    @Override
    public boolean hasEcdhePskSupported() {
      return false;
    }

    @Override
    public PskSecretResult requestPskSecretResult(
        ConnectionId connectionId,
        @Nullable ServerNames serverName,
        PskPublicInformation identity,
        String hmacAlgorithm,
        @Nullable SecretKey otherSecret,
        byte[] seed,
        boolean useExtendedMasterSecret) {
      SecretKey key = new SecretKeySpec(DtlsDevice.KEY.getBytes(US_ASCII), "PSK");
      return new PskSecretResult(connectionId, identity, key);
    }

    @Override
    public @Nullable PskPublicInformation getIdentity(
        InetSocketAddress peerAddress, @Nullable ServerNames virtualHost) {
      return null; // clients only
    }

    @Override
    public void setResultHandler(HandshakeResultHandler resultHandler) {}
  }
}
