package dev.beckon.lab;

import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.NullMarked;

/** A lab with a {@link Probe} serving on the server: both addresses, ports 3478 and 3479. */
@NullMarked
final class Bench implements AutoCloseable {

  /** The sockets of the serving probe, by number. */
  static final int SAME = 0;

  static final int OTHER_PORT = 1;
  static final int OTHER_ADDRESS = 2;

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final NatLab lab;
  private final LabProcess serving;

  Bench(NatLab lab) {
    this.lab = lab;
    List<String> both = lab.server().addresses();
    serving =
        lab.server()
            .start(probe("serve", both.get(0), "3478", both.get(0), "3479", both.get(1), "3478"));
    serving.await("serving", "serving"::equals, PATIENCE);
  }

  static Bench of(Topology topology) {
    return new Bench(NatLab.start(topology));
  }

  NatLab lab() {
    return lab;
  }

  /** A step for {@link #device}: a request to the server's socket of this number. */
  String request(int to, String word, long answerMillis, int answerFrom) {
    String address = lab.server().addresses().get(to == OTHER_ADDRESS ? 1 : 0);
    int port = to == OTHER_PORT ? 3479 : 3478;
    return "send:%s,%d,%s %d %d".formatted(address, port, word, answerMillis, answerFrom);
  }

  /** Runs these steps on the first device; what it received. */
  List<String> device(String... steps) {
    return device(lab.device(), steps);
  }

  List<String> device(Host host, String... steps) {
    try (LabProcess probe = startDevice(host, steps)) {
      if (probe.awaitEnd(PATIENCE) != 0) {
        throw new LabException("probe: " + probe.lines());
      }
      return probe.lines();
    }
  }

  LabProcess startDevice(Host host, String... steps) {
    return host.start(probe(steps));
  }

  /** The line in which the server reports the request with this word. */
  String seen(String word) {
    return serving.await(word, line -> line.startsWith("got " + word + " "), PATIENCE);
  }

  /** The mapped address and port that the server saw with this word, separated by a space. */
  String mapped(String word) {
    String line = seen(word);
    return line.substring(line.indexOf(" from ") + 6);
  }

  long count(Predicate<String> wanted) {
    return serving.lines().stream().filter(wanted).count();
  }

  private static List<String> probe(String... arguments) {
    return JavaCommand.of(Probe.class.getName(), arguments);
  }

  @Override
  public void close() {
    lab.close();
  }
}
