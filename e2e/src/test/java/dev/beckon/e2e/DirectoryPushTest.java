package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceListener;
import dev.beckon.device.Enrollment;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long a changed entry of the directory takes to reach idle devices: a real server and a
 * hundred real devices in one process, over loopback. Prints the figures.
 */
final class DirectoryPushTest {
  private static final int DEVICES = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private final AtomicInteger answered = new AtomicInteger();
  private final AtomicInteger openSessions = new AtomicInteger();
  private final AtomicInteger endedSessions = new AtomicInteger();

  /** When a device had the version, by device and version. */
  private final Map<String, Long> acceptedNanos = new ConcurrentHashMap<>();

  private final class Watcher implements DeviceListener {
    private final String id;
    private boolean seen;

    Watcher(String id) {
      this.id = id;
    }

    @Override
    public void onKeepaliveAnswered(InetSocketAddress mapped, InetSocketAddress server) {
      if (!seen) {
        seen = true;
        answered.incrementAndGet();
      }
    }

    @Override
    public void onSessionOpened(int number, long wakeId) {
      openSessions.incrementAndGet();
    }

    @Override
    public void onSessionClosed(int number, String reason) {
      openSessions.decrementAndGet();
      endedSessions.incrementAndGet();
    }

    @Override
    public void onDirectory(long version, String verdict) {
      if (verdict.equals("accepted")) {
        acceptedNanos.put(id + "/" + version, System.nanoTime());
      }
    }
  }

  @Test
  void aChangedEntryReachesAHundredIdleDevices() throws Exception {
    List<Device> devices = new ArrayList<>();
    try (LiveServer server = LiveServer.start(folder.resolve("server"), false)) {
      server.post(
          "/v1/application-servers/7", "{\"name\": \"printing\", \"address\": \"192.0.2.7\"}");
      for (int i = 0; i < DEVICES; i++) {
        String id = "device-" + i;
        EnrollmentCode code = EnrollmentCode.parse(server.code(id));
        devices.add(
            Device.builder()
                .identity(Enrollment.enroll(code, folder.resolve(id)))
                .listener(new Watcher(id))
                .build()
                .start());
      }
      // Each dials in once to tell its actions; idle is who has no session any more.
      await(() -> answered.get() == DEVICES, "answered keepalives");
      await(() -> endedSessions.get() >= DEVICES && openSessions.get() == 0, "idle devices");

      long startNanos = System.nanoTime();
      JsonNode changed =
          JSON.readTree(
              server.exchange(
                  server
                      .request("/v1/application-servers/7")
                      .header("Content-Type", "application/json")
                      .PUT(
                          BodyPublishers.ofString(
                              "{\"name\": \"printing\", \"address\": \"192.0.2.8\"}"))));
      long version = changed.path("directory").path("version").asLong();
      await(() -> reached(version).size() == DEVICES, "devices with version " + version);

      List<Double> millis =
          reached(version).stream().sorted().map(at -> (at - startNanos) / 1e6).toList();
      System.out.printf(
          Locale.ROOT,
          "a changed entry reached %d idle devices: first after %.0f ms, half after %.0f ms, all"
              + " after %.0f ms%n",
          DEVICES,
          millis.getFirst(),
          millis.get(DEVICES / 2),
          millis.getLast());
      assertThat(version).isEqualTo(2);
      // Far above what is usual: this machine may be busy with other tests.
      assertThat(millis.getLast()).isLessThan(60_000);
      await(() -> upToDate(server) == DEVICES, "devices that the server counts as up to date");
    } finally {
      for (Device device : devices) {
        device.close();
      }
    }
  }

  private List<Long> reached(long version) {
    return acceptedNanos.entrySet().stream()
        .filter(entry -> entry.getKey().endsWith("/" + version))
        .map(Map.Entry::getValue)
        .toList();
  }

  private static long upToDate(LiveServer server) {
    try {
      return JSON.readTree(server.exchange(server.request("/v1/application-servers").GET()))
          .path("directory")
          .path("devicesUpToDate")
          .asLong();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void await(BooleanSupplier condition, String what) {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - until > 0) {
        throw new AssertionError(
            what
                + ": not in "
                + PATIENCE
                + "; answered "
                + answered
                + ", sessions open "
                + openSessions
                + ", ended "
                + endedSessions
                + ", lists taken "
                + acceptedNanos.size());
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }
}
