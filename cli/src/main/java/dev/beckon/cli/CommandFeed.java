package dev.beckon.cli;

import dev.beckon.lab.fleet.FleetIds;
import dev.beckon.protocol.datagram.SocketAddresses;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends commands to devices of a simulated fleet, as an operator's program would: so many a second,
 * each to a device chosen at random. Has a thread of its own.
 */
final class CommandFeed implements AutoCloseable {

  /** Requests at one time. A server that needs more for this rate is behind. */
  private static final int MAX_UNANSWERED = 256;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final URI server;
  private final String token;
  private final int devices;
  private final long stepNanos;
  private final Random random;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final Semaphore unanswered = new Semaphore(MAX_UNANSWERED);
  private final LongAdder accepted = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Thread thread;
  private volatile boolean ended;

  /**
   * Begins.
   *
   * @param devices of the fleet that are enrolled, the first ones
   * @param perSecond above 0
   */
  CommandFeed(InetSocketAddress http, String token, int devices, double perSecond, int seed) {
    this.server = URI.create("http://" + SocketAddresses.format(http));
    this.token = token;
    this.devices = devices;
    this.stepNanos = (long) (TimeUnit.SECONDS.toNanos(1) / perSecond);
    this.random = new Random(seed);
    thread = Thread.ofPlatform().daemon().name("command-feed").start(this::run);
  }

  private void run() {
    long dueNanos = System.nanoTime();
    while (!ended) {
      long left = dueNanos - System.nanoTime();
      if (left > 0) {
        LockSupport.parkNanos(this, left);
      } else {
        dueNanos += stepNanos;
        send();
      }
    }
  }

  private void send() {
    if (!unanswered.tryAcquire()) {
      failed.increment();
      return;
    }
    String path = "/v1/devices/" + FleetIds.of(random.nextInt(devices)) + "/commands";
    HttpRequest request =
        HttpRequest.newBuilder(server.resolve(path))
            .timeout(PATIENCE)
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"action\":\"echo\",\"args\":{\"text\":\"simulated\"}}"))
            .build();
    client
        .sendAsync(request, HttpResponse.BodyHandlers.discarding())
        .whenComplete(
            (response, failure) -> {
              unanswered.release();
              boolean taken = failure == null && response.statusCode() / 100 == 2;
              (taken ? accepted : failed).increment();
            });
  }

  /** Commands that the server accepted. */
  long accepted() {
    return accepted.sum();
  }

  /** Commands that it did not accept, or that found too many others under way. */
  long failed() {
    return failed.sum();
  }

  /** Sends no more; what is under way goes on. */
  void stop() {
    ended = true;
    LockSupport.unpark(thread);
  }

  @Override
  public void close() {
    stop();
    client.shutdownNow();
  }
}
