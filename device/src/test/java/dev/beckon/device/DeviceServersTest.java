package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.device.directory.TestDirectory;
import dev.beckon.device.session.Frames;
import dev.beckon.device.tls.CertificateRequest;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.protocol.datagram.WakeAnswer;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.DirectoryPart;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Receipt;
import dev.beckon.protocol.session.UnknownServer;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.protocol.session.Welcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole device between the rendezvous server and application servers, over real sockets. */
class DeviceServersTest {
  private static final byte[] KEY = new byte[32];
  private static final String C1 = "01ARZ3NDEKTSV4RRFFQ69G5FA1";
  private static final String C2 = "01ARZ3NDEKTSV4RRFFQ69G5FA2";

  private static TestFleet fleet;
  private static TestFleet.Credentials seventh;
  private static TestFleet.Credentials signer;
  private static KeyPair deviceKey;
  private static X509Certificate deviceCertificate;

  @TempDir private Path folder;
  private ScriptedServer rendezvous;
  private ScriptedServer printing;
  private @Nullable Device device;
  private @Nullable InetSocketAddress udp; // as the device knows it; null: as it is
  private final Map<String, String> zone = new ConcurrentHashMap<>();
  private final CountDownLatch proceed = new CountDownLatch(1);
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

  static {
    Arrays.fill(KEY, (byte) 5);
  }

  @BeforeAll
  static void makeFleet() throws IOException, GeneralSecurityException {
    fleet = TestFleet.shared();
    seventh = fleet.server("san=uri:urn:beckon:server:7/1", "eku=serverAuth");
    signer = fleet.server("san=uri:urn:beckon:server:65535/1", "eku=serverAuth");
    deviceKey = CertificateRequest.newKey();
    deviceCertificate = fleet.device(CertificateRequest.create(deviceKey), "kitchen", 1);
  }

  @BeforeEach
  void makeServers() throws IOException, GeneralSecurityException {
    rendezvous = new ScriptedServer(fleet.server(), fleet.root());
    printing = new ScriptedServer(seventh, fleet.root());
  }

  @AfterEach
  void stop() throws IOException {
    proceed.countDown();
    if (device != null) {
      device.close();
    }
    rendezvous.close();
    printing.close();
  }

  @Test
  void dialsTheApplicationServerThatAWakeNames() throws Exception {
    Keepalive keepalive = startWithDirectory();
    wake(0x77, keepalive, 7);

    try (ScriptedServer.Peer peer = printing.accept()) {
      Hello hello = peer.read().getHello();
      assertThat(hello.getServerNumber()).isEqualTo(7);
      assertThat(hello.getWakeId()).isEqualTo(0x77);
      assertThat(hello.getDirectoryVersion()).isEqualTo(1);
      peer.write(welcome(0));
      peer.write(command(C1, "echo"));
      assertThat(states(peer, 3)).containsExactly("DELIVERED", "RUNNING", "SUCCEEDED");
      peer.write(receipt(C1));
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
  }

  @Test
  void talksToTwoServersSideBySide() throws Exception {
    Keepalive keepalive = startWithDirectory();
    wake(1, keepalive, 0);
    wake(2, keepalive, 7);

    try (ScriptedServer.Peer first = rendezvous.accept();
        ScriptedServer.Peer second = printing.accept()) {
      assertThat(first.read().getHello().getServerNumber()).isZero();
      assertThat(second.read().getHello().getServerNumber()).isEqualTo(7);
      first.write(welcome(0));
      second.write(welcome(0));
      first.write(command(C1, "wait"));
      assertThat(states(first, 2)).containsExactly("DELIVERED", "RUNNING");
      second.write(command(C1, "echo"));
      assertThat(states(second, 3)).as("the same ID").endsWith("SUCCEEDED");
      second.write(receipt(C1));
      proceed.countDown();
      assertThat(states(first, 1)).containsExactly("SUCCEEDED");
    }
  }

  @Test
  void reportsToWhoeverGaveTheCommandThoughAnotherHeldItUp() throws Exception {
    Keepalive keepalive = startWithDirectory();
    wake(1, keepalive, 0);
    wake(2, keepalive, 7);

    try (ScriptedServer.Peer first = rendezvous.accept();
        ScriptedServer.Peer second = printing.accept()) {
      first.read();
      second.read();
      first.write(welcome(0));
      second.write(welcome(0));
      first.write(command(C1, "wait"));
      assertThat(states(first, 2)).endsWith("RUNNING");
      second.write(command(C1, "wait"));
      assertThat(states(second, 1)).containsExactly("DELIVERED");
      proceed.countDown();
      assertThat(states(first, 1)).containsExactly("SUCCEEDED");
      assertThat(states(second, 2)).containsExactly("RUNNING", "SUCCEEDED");
    }
  }

  @Test
  void doesNotTalkToAServerOfAnotherNumber() throws Exception {
    printing.close();
    printing = new ScriptedServer(fleet.server(), fleet.root());
    Keepalive keepalive = startWithDirectory();
    wake(1, keepalive, 7);

    assertThatThrownBy(() -> printing.accept().read()).isInstanceOf(IOException.class);
    assertThat(event("failed 7")).contains("for the servers [0] (expected one for server 7)");
  }

  @Test
  void pullsTheDirectoryForAServerThatItDoesNotKnow() throws Exception {
    start();
    Keepalive keepalive = rendezvous.answerKeepalive(KEY);
    finish(rendezvous.accept(), 0);
    wake(3, keepalive, 7);

    try (ScriptedServer.Peer peer = rendezvous.accept()) {
      assertThat(peer.read().getHello().getDirectoryVersion()).isZero();
      peer.write(welcome(1));
      send(peer, 1, Map.of(7, address(printing)));
      try (ScriptedServer.Peer second = printing.accept()) {
        assertThat(second.read().getHello().getWakeId()).isEqualTo(3);
        assertThat(event("directory")).isEqualTo("directory 1 accepted");
      }
    }
  }

  @Test
  void asksForTheDirectoryInASessionThatIsOpen() throws Exception {
    start();
    Keepalive keepalive = rendezvous.answerKeepalive(KEY);
    try (ScriptedServer.Peer peer = rendezvous.accept()) {
      peer.read();
      peer.write(welcome(0));
      event("opened");
      wake(3, keepalive, 7);
      assertThat(peer.read().getDirectoryRequest().getVersion()).isZero();
      send(peer, 1, Map.of(7, address(printing)));
      try (ScriptedServer.Peer second = printing.accept()) {
        assertThat(second.read().getHello().getWakeId()).isEqualTo(3);
      }
    }
  }

  @Test
  void saysSoIfNoListNamesTheServer() throws Exception {
    Keepalive keepalive = startWithDirectory();
    wake(4, keepalive, 8);

    try (ScriptedServer.Peer peer = rendezvous.accept()) {
      assertThat(peer.read().getHello().getDirectoryVersion()).isEqualTo(1);
      peer.write(welcome(1));
      assertThat(peer.read().getUnknownServer())
          .isEqualTo(
              UnknownServer.newBuilder().setNumber(8).setWakeId(4).setDirectoryVersion(1).build());
    }
    assertThat(event("wake 4")).isEqualTo("wake 4 of 8 accepted");
    assertThat(event("wake 4")).isEqualTo("wake 4 of 8 unknown-server");
  }

  @Test
  void dialsAgainToSayItIfTheSessionIsClosingMeanwhile() throws Exception {
    Keepalive keepalive = startWithDirectory();
    for (int wakeId = 10; wakeId < 15; wakeId++) {
      wake(wakeId, keepalive, 8);
      UnknownServer expected =
          UnknownServer.newBuilder().setNumber(8).setWakeId(wakeId).setDirectoryVersion(1).build();
      boolean told;
      try (ScriptedServer.Peer peer = rendezvous.accept()) {
        peer.read();
        peer.write(welcome(1));
        peer.write(bye()); // at once: the device has something to say when it is too late
        Frame frame = Frames.read(peer.socket().getInputStream());
        told = frame != null;
        if (frame != null) {
          assertThat(frame.getUnknownServer()).isEqualTo(expected);
        }
      }
      if (!told) {
        try (ScriptedServer.Peer peer = rendezvous.accept()) {
          peer.read();
          peer.write(welcome(1));
          assertThat(peer.read().getUnknownServer()).isEqualTo(expected);
          peer.write(bye());
          assertThat(peer.isAtEnd()).isTrue();
        }
      }
    }
  }

  @Test
  void dialsTheServersThatWelcomeSaysAreWaiting() throws Exception {
    Keepalive keepalive = startWithDirectory();
    wake(5, keepalive, 0);
    try (ScriptedServer.Peer peer = rendezvous.accept()) {
      peer.read();
      peer.write(
          Frame.newBuilder()
              .setWelcome(
                  welcome(1).getWelcome().toBuilder()
                      .addWaitingServers(
                          WaitingServer.newBuilder()
                              .setNumber(7)
                              .setWakeId(6)
                              .setDeadlineMillis(System.currentTimeMillis() + 30_000)))
              .build());
      try (ScriptedServer.Peer second = printing.accept()) {
        assertThat(second.read().getHello().getWakeId()).isEqualTo(6);
      }
    }
  }

  @Test
  void refusesAForgedListAndOneFromThePast() throws Exception {
    Keepalive keepalive = startWithDirectory();
    wake(5, keepalive, 0);
    try (ScriptedServer.Peer peer = rendezvous.accept()) {
      peer.read();
      peer.write(welcome(0));
      byte[] forged =
          TestDirectory.sign(fleet.server(), TestDirectory.list(2, Map.of(7, "198.51.100.1")));
      TestDirectory.parts(2, forged, 30_000).forEach(part -> write(peer, part));
      assertThat(event("directory")).isEqualTo("directory 2 untrusted");
      send(peer, 2, Map.of(7, address(printing)));
      assertThat(event("directory")).isEqualTo("directory 2 accepted");
      send(peer, 1, Map.of(7, "198.51.100.1"));
      assertThat(event("directory")).isEqualTo("directory 1 older");
    }
  }

  @Test
  void followsDnsAndUsesTheLastGoodAddressWhileItIsDown() throws Exception {
    zone.put("print.example", "127.0.0.2"); // nobody is there
    Keepalive keepalive =
        startWithDirectory(Map.of(7, "beckon://print.example:" + printing.tlsAddress().getPort()));
    wake(1, keepalive, 7);
    assertThat(event("failed 7")).isNotEmpty();
    zone.put("print.example", "127.0.0.1");
    try (ScriptedServer.Peer peer = printing.accept()) {
      peer.read();
      peer.write(welcome(0));
      peer.write(command(C1, "echo"));
      assertThat(peer.read().getUpdate().getNote()).isEmpty();
      assertThat(states(peer, 2)).endsWith("SUCCEEDED");
      peer.write(receipt(C1));
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
    zone.clear();
    wake(2, keepalive, 7);
    try (ScriptedServer.Peer peer = printing.accept()) {
      peer.read();
      peer.write(welcome(0));
      peer.write(command(C2, "echo"));
      assertThat(peer.read().getUpdate().getNote())
          .startsWith("host print.example: cannot be resolved; used 127.0.0.1 of 20");
      assertThat(peer.read().getUpdate().getNote()).as("said once").isEmpty();
    }
  }

  @Test
  void saysThatItCannotFindItsServerAndFindsItLater() throws Exception {
    udp = InetSocketAddress.createUnresolved("nowhere.example", rendezvous.udpAddress().getPort());
    start();
    assertThat(event("unresolved")).isEqualTo("unresolved nowhere.example");
    zone.put("nowhere.example", "127.0.0.1");

    assertThat(rendezvous.answerKeepalive(KEY).deviceId().value()).isEqualTo("kitchen");
  }

  @Test
  void saysWhyItCannotDialAHostThatItNeverFound() throws Exception {
    Keepalive keepalive = startWithDirectory(Map.of(7, "nowhere.example"));
    wake(1, keepalive, 7);

    assertThat(event("failed 7")).isEqualTo("failed 7 host: nowhere.example (cannot be resolved)");
    zone.put("nowhere.example", "127.0.0.1");
    assertThat(event("failed 7")).as("it is asked for again").doesNotContain("resolved");
  }

  private Keepalive startWithDirectory() throws Exception {
    return startWithDirectory(Map.of(7, address(printing)));
  }

  private Keepalive startWithDirectory(Map<Integer, String> addresses) throws Exception {
    start();
    Keepalive keepalive = rendezvous.answerKeepalive(KEY, 1);
    try (ScriptedServer.Peer peer = rendezvous.accept()) {
      peer.read();
      peer.write(welcome(1));
      send(peer, 1, addresses);
      assertThat(event("directory")).isEqualTo("directory 1 accepted");
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
    return keepalive;
  }

  private void start() throws IOException {
    DeviceIdentity identity =
        new DeviceIdentity(
            folder,
            new DeviceId("kitchen"),
            1,
            1,
            udp == null ? rendezvous.udpAddress() : udp,
            rendezvous.tlsAddress(),
            0,
            KEY,
            deviceKey.getPrivate(),
            List.of(deviceCertificate, fleet.root()),
            List.of(fleet.root()));
    identity.store();
    device =
        Device.builder()
            .identity(DeviceIdentity.load(folder))
            .interval(Duration.ofSeconds(25))
            .lab()
            .resolver(
                host -> {
                  String address = zone.getOrDefault(host, host);
                  if (address.endsWith(".example")) {
                    throw new UnknownHostException(host);
                  }
                  return InetAddress.getAllByName(address);
                })
            .listener(
                new DeviceListener() {
                  @Override
                  public void onWake(int number, long wakeId, Instant deadline, String verdict) {
                    events.add("wake " + wakeId + " of " + number + " " + verdict);
                  }

                  @Override
                  public void onSessionOpened(int number, long wakeId) {
                    events.add("opened " + number);
                  }

                  @Override
                  public void onDialFailed(int number, InetSocketAddress to, String reason) {
                    events.add("failed " + number + " " + reason);
                  }

                  @Override
                  public void onUnresolved(String host) {
                    events.add("unresolved " + host);
                  }

                  @Override
                  public void onDirectory(long version, String verdict) {
                    events.add("directory " + version + " " + verdict);
                  }
                })
            .action("echo", command -> Result.ok())
            .action(
                "wait",
                command -> {
                  proceed.await();
                  return Result.ok();
                })
            .build()
            .start();
  }

  private String event(String prefix) throws InterruptedException {
    while (true) {
      String event = events.poll(10, TimeUnit.SECONDS);
      assertThat(event).as("an event that begins with: " + prefix).isNotNull();
      if (event != null && event.startsWith(prefix)) {
        return event;
      }
    }
  }

  private void wake(long wakeId, Keepalive keepalive, int server) throws IOException {
    rendezvous.sendWake(KEY, "kitchen", wakeId, keepalive.sequence(), server);
    while (!(rendezvous.receive(KEY) instanceof WakeAnswer answer && answer.wakeId() == wakeId)) {}
  }

  private static void finish(ScriptedServer.Peer accepted, int directoryVersion)
      throws IOException {
    try (ScriptedServer.Peer peer = accepted) {
      peer.read();
      peer.write(welcome(directoryVersion));
      peer.write(bye());
      assertThat(peer.isAtEnd()).isTrue();
    }
  }

  private static void send(ScriptedServer.Peer peer, int version, Map<Integer, String> addresses)
      throws GeneralSecurityException {
    byte[] signed = TestDirectory.sign(signer, TestDirectory.list(version, addresses));
    TestDirectory.parts(version, signed, 700).forEach(part -> write(peer, part));
  }

  private static void write(ScriptedServer.Peer peer, DirectoryPart part) {
    try {
      peer.write(Frame.newBuilder().setDirectoryPart(part).build());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String address(ScriptedServer server) {
    return SocketAddresses.format(server.tlsAddress());
  }

  private static List<String> states(ScriptedServer.Peer peer, int count) throws IOException {
    String[] states = new String[count];
    for (int i = 0; i < count; i++) {
      Update update = peer.read().getUpdate();
      states[i] = update.getState().name();
    }
    return List.of(states);
  }

  private static Frame welcome(int directoryVersion) {
    return Frame.newBuilder()
        .setWelcome(
            Welcome.newBuilder()
                .setServerTimeMillis(System.currentTimeMillis())
                .setLingerMillis(5_000)
                .setDirectoryVersion(directoryVersion))
        .build();
  }

  private static Frame command(String id, String action) {
    return Frame.newBuilder()
        .setCommand(
            Command.newBuilder()
                .setDeviceId("kitchen")
                .setCommandId(id)
                .setAction(action)
                .setDeadlineMillis(System.currentTimeMillis() + 60_000))
        .build();
  }

  private static Frame receipt(String id) {
    return Frame.newBuilder().setReceipt(Receipt.newBuilder().setCommandId(id)).build();
  }

  private static Frame bye() {
    return Frame.newBuilder().setBye(Bye.newBuilder().setReason(ByeReason.IDLE)).build();
  }
}
