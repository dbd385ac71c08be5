package dev.beckon.server;

import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.SignedDirectory;
import dev.beckon.server.directory.DirectoryStatus;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.directory.SignedList;
import dev.beckon.server.session.DeviceConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory server of its own beside a rendezvous server: real ones, over loopback. */
final class DirectoryServerTest {

  private static final int DIRECTORY = 65_535;

  @TempDir private Path folder;

  private final Deque<Server> running = new ArrayDeque<>();
  private Server rendezvous;
  private RendezvousDirectory directory;

  @BeforeEach
  void start() throws IOException {
    rendezvous = start(config("rendezvous"));
    directory = rendezvous.rendezvous().orElseThrow().directory();
  }

  @AfterEach
  void stop() {
    while (!running.isEmpty()) {
      running.pop().close();
    }
  }

  private ServerConfig.Builder config(String name) {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return ServerConfig.at(folder.resolve(name))
        .udp(List.of(any))
        .tls(any)
        .http(any)
        .advertise("127.0.0.1");
  }

  private Server start(ServerConfig.Builder config) throws IOException {
    Server server = Server.start(config.build());
    running.push(server);
    return server;
  }

  private void stop(Server server) {
    running.remove(server);
    server.close();
  }

  private void set(int number, String address) {
    directory.servers().add(number, "server " + number, address, Duration.ofHours(1)).join();
  }

  private Server startDirectoryServer() throws IOException {
    String code =
        directory
            .servers()
            .add(DIRECTORY, "directory", "127.0.0.1:9", Duration.ofHours(1))
            .join()
            .format();
    Server server = start(config("directory").enroll(code));
    until("connected", () -> server.enrolled().orElseThrow().link().isUp());
    return server;
  }

  private SignedList held() {
    return directory.directory().current().orElseThrow();
  }

  private boolean upToDate() {
    DirectoryStatus status = directory.status();
    return status.upToDate() && status.version() > 0;
  }

  private static List<String> signer(SignedList list) throws Exception {
    SignedDirectory signed = SignedDirectory.parseFrom(list.bytes());
    X509Certificate leaf =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(signed.getCertificateChain(0).newInput());
    return leaf.getSubjectAlternativeNames().stream()
        .map(name -> String.valueOf(name.get(1)))
        .toList();
  }

  @Test
  void signsWhatTheRendezvousServerWants() throws Exception {
    set(7, "192.0.2.7");
    until("signed by itself", this::upToDate);
    assertThat(signer(held())).contains("urn:beckon:server:0/1");

    startDirectoryServer();
    set(7, "192.0.2.8");
    until("signed by the directory server", () -> upToDate() && held().entries().size() == 2);

    assertThat(signer(held())).containsExactly("urn:beckon:server:65535/1");
    assertThat(held().entries().getFirst().getAddress()).isEqualTo("192.0.2.8");
    assertThat(directory.status().signer()).isEqualTo(DIRECTORY);
  }

  @Test
  void changesWaitVisiblyWhileItIsAway() throws Exception {
    Server server = startDirectoryServer();
    set(7, "192.0.2.7");
    until("signed", this::upToDate);
    long before = held().version();
    stop(server);

    set(7, "192.0.2.8");
    set(8, "192.0.2.9");

    assertThat(directory.status().upToDate()).isFalse();
    assertThat(directory.status().signer()).isEqualTo(DIRECTORY);
    start(config("directory"));
    until("signed once it is back", this::upToDate);
    assertThat(held().version()).isGreaterThan(before);
    assertThat(held().entries())
        .extracting(DirectoryEntry::getAddress)
        .containsExactly("192.0.2.8", "192.0.2.9", "127.0.0.1:9");
  }

  @Test
  void servesTheListToDevicesAndTellsWhoHasIt() throws Exception {
    Server server = startDirectoryServer();
    set(7, "192.0.2.7");
    until("signed", this::upToDate);
    var identity = rendezvous.rendezvous().orElseThrow().identity();
    FleetDevice kitchen =
        FleetDevice.enroll(
            identity.ca().root(),
            identity.devices().add(new DeviceId("kitchen"), Duration.ofHours(1)).join());

    try (DeviceConnection session = kitchen.dial(server.tlsAddress(), DIRECTORY, 0)) {
      assertThat(session.receive(KindCase.WELCOME).getWelcome().getDirectoryVersion())
          .isEqualTo((int) held().version());
      assertThat(session.receive(KindCase.DIRECTORY_PART).getDirectoryPart().getContent())
          .isEqualTo(held().bytes());
    }

    until("the rendezvous server knows", () -> directory.status().devicesUpToDate() == 1);
  }

  @Test
  void goesOnWithAHigherVersionWhereTheDirectoryServerWasRemoved() throws Exception {
    startDirectoryServer();
    set(7, "192.0.2.7");
    until("signed", this::upToDate);
    long before = held().version();

    directory.servers().remove(DIRECTORY).join();
    until("signed by itself", this::upToDate);

    assertThat(signer(held())).contains("urn:beckon:server:0/1");
    assertThat(held().version()).as("well above what may be unseen").isGreaterThan(before + 1);
    assertThat(directory.status().signer()).isZero();
  }

  @Test
  void putsItsNewCertificateBelowAllCopiesOfTheList() throws Exception {
    Server server = startDirectoryServer();
    String code =
        directory.servers().add(7, "printing", "127.0.0.1:9", Duration.ofHours(1)).join().format();
    until("signed", () -> upToDate() && held().entries().size() == 2);
    SignedList before = held();
    Server printing = start(config("printing").enroll(code));
    until("connected", () -> printing.enrolled().orElseThrow().link().isUp());

    server.enrolled().orElseThrow().renew();

    until("signed anew", () -> !held().bytes().equals(before.bytes()));
    assertThat(held().version()).as("devices need not be woken").isEqualTo(before.version());
    var identity = rendezvous.rendezvous().orElseThrow().identity();
    FleetDevice kitchen =
        FleetDevice.enroll(
            identity.ca().root(),
            identity.devices().add(new DeviceId("kitchen"), Duration.ofHours(1)).join());
    until("the copy is signed anew", () -> list(kitchen, printing, 7).equals(held().bytes()));
  }

  /** The list that a device without one gets from this server. */
  private static ByteString list(FleetDevice device, Server server, int number) {
    try (DeviceConnection session = device.dial(server.tlsAddress(), number, 0)) {
      session.receive(KindCase.WELCOME);
      return session.receive(KindCase.DIRECTORY_PART).getDirectoryPart().getContent();
    } catch (Exception unreachable) {
      throw new AssertionError(unreachable);
    }
  }
}
