package dev.beckon.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@NullMarked
@RequiresNamespaces
final class NatLabTest {

  private static final String AWAIT = "await:1";
  private static final String LISTEN = "listen:300";

  @ParameterizedTest
  @EnumSource(Nat.class)
  void mapsAndFiltersAsTheKindSays(Nat nat) {
    boolean open = nat.filtering().equals("endpoint-independent");
    try (Bench bench = Bench.of(Topology.behind(nat))) {
      List<String> received =
          bench.device(
              bench.request(Bench.SAME, "same", 0, Bench.SAME),
              AWAIT,
              bench.request(Bench.SAME, "port", 0, Bench.OTHER_PORT),
              bench.request(Bench.SAME, "address", 0, Bench.OTHER_ADDRESS),
              open ? "await:2" : LISTEN,
              bench.request(Bench.OTHER_ADDRESS, "second", 0, Bench.OTHER_ADDRESS),
              AWAIT);

      boolean sameMapping = bench.mapped("same").equals(bench.mapped("second"));
      assertThat(sameMapping)
          .as("%s: %s and %s", nat, bench.mapped("same"), bench.mapped("second"))
          .isEqualTo(nat.mapping().equals("endpoint-independent"));
      assertThat(words(received)).contains("same", "second");
      if (open) {
        assertThat(words(received)).contains("port", "address");
      } else {
        assertThat(words(received)).doesNotContain("port", "address");
      }
      assertThat(bench.mapped("same")).startsWith("203.0.113.1 ");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PORT_PRESERVING", "SYMMETRIC"})
  void masqueradesWithoutTheToolForRules(Nat nat) {
    NatLab lab = NatLab.start(Topology.behind(nat).withTimers(7, 7), null, false);
    try (Bench bench = new Bench(lab)) {
      List<String> received =
          bench.device(
              bench.request(Bench.SAME, "same", 0, Bench.SAME),
              AWAIT,
              bench.request(Bench.SAME, "port", 0, Bench.OTHER_PORT),
              bench.request(Bench.SAME, "address", 0, Bench.OTHER_ADDRESS),
              LISTEN,
              bench.request(Bench.OTHER_ADDRESS, "second", 0, Bench.OTHER_ADDRESS),
              AWAIT);

      assertThat(words(received)).containsExactly("same", "second");
      assertThat(bench.mapped("same").equals(bench.mapped("second")))
          .isEqualTo(nat == Nat.PORT_PRESERVING);
      assertThat(bench.mapped("same")).startsWith("203.0.113.1 ");
      assertThat(lab.router().mappings()).allMatch(m -> m.secondsLeft() <= 7);
    }
  }

  @Test
  void severalServersReachEachOtherAndAreReachedThroughTheNat() {
    String answerTwice =
        """
        import socket
        listener = socket.create_server(("0.0.0.0", 7000))
        print("listening", flush=True)
        for _ in range(2):
            connection, peer = listener.accept()
            connection.sendall(peer[0].encode())
            connection.close()
        """;
    String ask =
        """
        import socket
        print(socket.create_connection(("203.0.113.102", 7000), 5).recv(100).decode())
        """;
    try (NatLab lab = NatLab.start(Topology.behind(Nat.SYMMETRIC).withServers(3))) {
      assertThat(lab.server(3).addresses()).containsExactly("203.0.113.102", "203.0.113.202");
      LabProcess server = lab.server(3).start(List.of("python3", "-c", answerTwice));
      server.await("listening", "listening"::equals, Duration.ofSeconds(20));

      assertThat(lab.device().run("python3", "-c", ask)).containsExactly("203.0.113.1");
      assertThat(lab.server(2).run("python3", "-c", ask)).containsExactly("203.0.113.101");
    }
  }

  @ParameterizedTest
  @EnumSource(Nat.class)
  void forgetsAMappingWhenItsTimerEnds(Nat nat) {
    try (Bench bench = Bench.of(Topology.behind(nat).withTimers(2, 2))) {
      List<String> received =
          bench.device(
              bench.request(Bench.SAME, "inside", 500, Bench.SAME),
              AWAIT,
              bench.request(Bench.SAME, "late", 4500, Bench.SAME),
              "listen:5000");

      assertThat(words(received)).containsExactly("inside");
    }
  }

  @Test
  void givesTheLongTimerOnlyToTrafficAnsweredOverMoreThanTwoSeconds() {
    try (Bench bench = Bench.of(Topology.behind(Nat.SYMMETRIC).withTimers(5, 60))) {
      bench.device(bench.request(Bench.SAME, "one", 0, Bench.SAME), AWAIT);
      assertThat(bench.lab().router().mappings())
          .singleElement()
          .satisfies(m -> assertThat(m.secondsLeft()).isLessThanOrEqualTo(5));

      bench.device(
          bench.request(Bench.SAME, "two", 0, Bench.SAME),
          "listen:1500",
          bench.request(Bench.SAME, "three", 0, Bench.SAME),
          "listen:1500",
          bench.request(Bench.SAME, "four", 0, Bench.SAME),
          AWAIT);

      assertThat(bench.lab().router().mappings())
          .singleElement()
          .satisfies(m -> assertThat(m.secondsLeft()).isGreaterThan(30));
    }
  }

  @ParameterizedTest
  @EnumSource(Nat.class)
  void forgetsAllMappingsWhenItReboots(Nat nat) {
    try (Bench bench = Bench.of(Topology.behind(nat))) {
      LabProcess device =
          bench.startDevice(
              bench.lab().device(),
              bench.request(Bench.SAME, "first", 0, Bench.SAME),
              bench.request(Bench.SAME, "afterwards", 1200, Bench.SAME),
              "listen:1800",
              bench.request(Bench.SAME, "again", 0, Bench.SAME),
              AWAIT);
      bench.seen("afterwards");
      bench.lab().router().reboot();

      assertThat(bench.lab().router().mappings()).isEmpty();
      assertThat(device.awaitEnd(Duration.ofSeconds(10))).isZero();
      assertThat(words(device.lines())).containsExactly("first", "again");
      assertThat(bench.mapped("first").equals(bench.mapped("again")))
          .isEqualTo(nat != Nat.SYMMETRIC);
    }
  }

  @Test
  void translatesTwiceBehindACarrier() {
    Topology topology = Topology.behind(Nat.PORT_PRESERVING, Nat.SYMMETRIC);
    try (Bench bench = Bench.of(topology)) {
      List<String> received =
          bench.device(bench.request(Bench.SAME, "hello", 0, Bench.SAME), AWAIT);

      assertThat(words(received)).containsExactly("hello");
      Mapping home = bench.lab().routers().get(0).mappings().getFirst();
      Mapping carrier = bench.lab().routers().get(1).mappings().getFirst();
      assertThat(home.inner()).isEqualTo("192.168.1.100:" + Probe.INNER_PORT);
      assertThat(carrier.inner()).isEqualTo(home.mapped()).startsWith("100.64.0.2:");
      assertThat(carrier.mapped()).isEqualTo(bench.mapped("hello").replace(' ', ':'));

      bench.lab().router().reboot();
      assertThat(bench.lab().routers().get(0).mappings()).isEmpty();
      assertThat(words(bench.device(bench.request(Bench.SAME, "back", 0, Bench.SAME), AWAIT)))
          .containsExactly("back");
    }
  }

  @Test
  void leavesPublicAddressesAlone() {
    try (Bench bench = Bench.of(Topology.withoutNat())) {
      List<String> received =
          bench.device(bench.request(Bench.SAME, "hello", 0, Bench.OTHER_PORT), AWAIT);

      assertThat(words(received)).containsExactly("hello");
      assertThat(bench.mapped("hello")).isEqualTo("198.51.100.100 5000");
    }
  }

  @Test
  void letsOnlyAnswersThroughAnIpv6Firewall() {
    try (Bench bench = Bench.of(Topology.ipv6BehindFirewall().withTimers(1, 1))) {
      List<String> received =
          bench.device(
              bench.request(Bench.SAME, "answer", 0, Bench.SAME),
              AWAIT,
              bench.request(Bench.SAME, "port", 0, Bench.OTHER_PORT),
              bench.request(Bench.SAME, "address", 0, Bench.OTHER_ADDRESS),
              bench.request(Bench.SAME, "late", 2500, Bench.SAME),
              "listen:3000");

      assertThat(words(received)).containsExactly("answer");
      assertThat(bench.mapped("answer")).isEqualTo("2001:db8:1:0:0:0:0:100 5000");

      bench.device(bench.request(Bench.SAME, "again", 0, Bench.SAME), AWAIT);
      assertThat(bench.lab().router().mappings())
          .first()
          .satisfies(m -> assertThat(m.inner()).isEqualTo("[2001:db8:1::100]:5000"));
      bench.lab().router().reboot();
      assertThat(bench.lab().router().mappings()).isEmpty();
    }
  }

  @Test
  void givesTwoDevicesTheirOwnMappings() {
    try (Bench bench = Bench.of(Topology.behind(Nat.PORT_PRESERVING).withDevices(2))) {
      bench.device(bench.lab().device(1), bench.request(Bench.SAME, "one", 0, Bench.SAME), AWAIT);
      List<String> received =
          bench.device(
              bench.lab().device(2), bench.request(Bench.SAME, "two", 0, Bench.SAME), AWAIT);

      assertThat(words(received)).containsExactly("two");
      assertThat(bench.mapped("one")).isNotEqualTo(bench.mapped("two"));
    }
  }

  @ParameterizedTest
  @EnumSource(Direction.class)
  void losesDoublesAndCorruptsOnDemand(Direction direction) {
    try (Bench bench = Bench.of(Topology.behind(Nat.SYMMETRIC))) {
      Router router = bench.lab().router();
      router.weather(direction, Weather.losing(1));
      assertThat(bench.device(bench.request(Bench.SAME, "lost", 0, Bench.SAME), LISTEN)).isEmpty();

      router.weather(direction, Weather.duplicating(1));
      List<String> doubled =
          bench.device(bench.request(Bench.SAME, "twice", 0, Bench.SAME), "await:2");
      assertThat(words(doubled)).containsExactly("twice", "twice");

      router.weather(direction, Weather.corrupting(1));
      List<String> corrupted =
          bench.device(bench.request(Bench.SAME, "word", 0, Bench.SAME), AWAIT);
      assertThat(words(corrupted)).containsExactly("\u00fford");

      router.weather(direction, Weather.losing(0));
      List<String> fine = bench.device(bench.request(Bench.SAME, "fine", 0, Bench.SAME), AWAIT);
      assertThat(words(fine)).containsExactly("fine");
    }
  }

  @Test
  void putsEachHostInANamespaceOfItsOwn() {
    try (NatLab lab = NatLab.start(Topology.behind(Nat.SYMMETRIC));
        LabProcess device = sleeper(lab.device());
        LabProcess server = sleeper(lab.server());
        LabProcess here = LabProcess.start("here", List.of("sleep", "60"), _ -> {})) {
      assertThat(
              List.of(
                  device.networkNamespace(), server.networkNamespace(), here.networkNamespace()))
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void capturesTrafficAndListsSockets(@TempDir Path folder) throws Exception {
    Path pcap = folder.resolve("server.pcap");
    try (Bench bench = Bench.of(Topology.behind(Nat.SYMMETRIC));
        LabProcess capture = bench.lab().server().capture(pcap)) {
      bench.device(bench.request(Bench.SAME, "recorded", 0, Bench.SAME), AWAIT);
      capture.stop();
      capture.awaitEnd(Duration.ofSeconds(5));

      assertThat(new String(Files.readAllBytes(pcap), java.nio.charset.StandardCharsets.ISO_8859_1))
          .contains("recorded");
      assertThat(bench.lab().server().sockets())
          .extracting(SocketState::local)
          .contains("203.0.113.200:3478");
      assertThat(bench.lab().device().sockets()).isEmpty();
    }
  }

  static LabProcess sleeper(Host host) {
    LabProcess process = host.start(List.of("sh", "-c", "echo started; exec sleep 600"));
    process.await("start", "started"::equals, Duration.ofSeconds(5));
    return process;
  }

  private static List<String> words(List<String> lines) {
    return lines.stream().map(line -> line.split(" ")[1]).toList();
  }
}
