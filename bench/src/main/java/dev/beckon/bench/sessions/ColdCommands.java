package dev.beckon.bench.sessions;

import dev.beckon.device.Action;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceIdentity;
import dev.beckon.device.Enrollment;
import dev.beckon.device.Result;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;

/**
 * How long a command takes from the API's door to the action on a device that has no session: wake,
 * dialling, TLS, delivery, and the commits on both sides. Devices of the device library, in this
 * process, over loopback.
 */
final class ColdCommands implements AutoCloseable {

  private static final Pattern CODE = Pattern.compile("\"enrollmentCode\" ?: ?\"([^\"]+)\"");

  /** Behind it no session is left: they linger for 5 s. */
  private static final long COLD_AGAIN_MILLIS = 6_500;

  private static final long PATIENCE_SECONDS = 30;
  private static final long MAX_MICROS = TimeUnit.SECONDS.toMicros(PATIENCE_SECONDS);

  private final BeckonServer server;
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<Device> devices = new ArrayList<>();
  private final BlockingQueue<Long> started = new LinkedBlockingQueue<>();

  /**
   * Enrolls devices and starts them.
   *
   * @param folder for their data
   */
  ColdCommands(BeckonServer server, Path folder, int count)
      throws IOException, InterruptedException {
    this.server = server;
    for (int n = 0; n < count; n++) {
      String answer = post("devices", "{\"id\":\"cold-" + n + "\"}");
      Matcher code = CODE.matcher(answer);
      if (!code.find()) {
        throw new IOException("API: no code in " + answer);
      }
      DeviceIdentity identity =
          Enrollment.enroll(EnrollmentCode.parse(code.group(1)), folder.resolve("cold-" + n));
      devices.add(
          Device.builder()
              .identity(identity)
              .action(
                  Action.named("echo"),
                  command -> {
                    started.add(System.nanoTime());
                    return Result.ok();
                  })
              .build()
              .start());
    }
  }

  /** Commands one at a time, to each device in turn, and again once their sessions have ended. */
  Histogram measure(int rounds) throws IOException, InterruptedException {
    Histogram micros = new Histogram(MAX_MICROS, 3);
    for (int round = 0; round <= rounds; round++) {
      Thread.sleep(COLD_AGAIN_MILLIS); // they dial in at their start, too
      for (int n = 0; n < devices.size(); n++) {
        long begin = System.nanoTime();
        post("devices/cold-" + n + "/commands", "{\"action\":\"echo\"}");
        Long at = started.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (at == null) {
          throw new IOException("cold-" + n + ": the command did not start");
        }
        if (round > 0) { // the first warms both programs up
          micros.recordValue(TimeUnit.NANOSECONDS.toMicros(at - begin));
        }
      }
    }
    return micros;
  }

  private String post(String path, String json) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:" + server.http().getPort() + "/v1/" + path))
                .header("Authorization", "Bearer " + server.token())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(json))
                .build(),
            BodyHandlers.ofString());
    if (answer.statusCode() != 201) {
      throw new IOException("API: " + answer.statusCode() + " " + answer.body());
    }
    return answer.body();
  }

  @Override
  public void close() throws IOException {
    for (Device device : devices) {
      device.close();
    }
    http.close();
  }
}
