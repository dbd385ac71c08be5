package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A server takes hundreds of thousands of keepalives per second: garbage would be its limit. */
class AllocationTest {
  private static final int WARM_UP_ROUNDS = 50_000;
  private static final int ROUNDS = 1_000_000;

  private final Random random = new Random(31);
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final byte[] masterKey = Samples.bytes(random, 32);
  private final DatagramReader reader = new DatagramReader();
  private final DatagramWriter writer = new DatagramWriter();
  private final HmacSha256 hmac = new HmacSha256();
  private final byte[] deviceKey = new byte[DeviceKey.LENGTH];

  @Test
  void readingAuthenticatingAndAnsweringAKeepaliveAllocatesNothing() {
    byte[] keepalive = keepaliveOf(masterKey);

    assertThat(serve(keepalive, 1)).isEqualTo(80);
    assertThat(leastAllocated(keepalive)).as("bytes in %s rounds", ROUNDS).isZero();
  }

  @Test
  void refusingAForgedKeepaliveAllocatesNothing() {
    byte[] forged = keepaliveOf(new byte[32]);

    assertThat(serve(forged, 1)).isZero();
    assertThat(leastAllocated(forged)).as("bytes in %s rounds", ROUNDS).isZero();
  }

  @Test
  void refusingAMalformedDatagramAllocatesNothing() {
    byte[] malformed = keepaliveOf(masterKey);
    malformed[21] ^= 0x40;

    assertThat(serve(malformed, 1)).isZero();
    assertThat(leastAllocated(malformed)).as("bytes in %s rounds", ROUNDS).isZero();
  }

  /**
   * The least of three runs: the JVM itself allocates a few bytes once when it swaps in newly
   * compiled code, whereas code that allocates does so in every run.
   */
  private long leastAllocated(byte[] datagram) {
    for (int call = 0; call < 10; call++) {
      serve(datagram, WARM_UP_ROUNDS / 10);
    }
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 3 && least != 0; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      serve(datagram, ROUNDS);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  /** What a server does for each datagram, but for its table. */
  private long serve(byte[] datagram, int rounds) {
    long answeredBytes = 0;
    for (int round = 0; round < rounds; round++) {
      if (reader.read(datagram, datagram.length) != null) {
        continue;
      }
      DeviceKey.derive(
          hmac,
          masterKey,
          reader.bytes(),
          reader.deviceIdOffset(),
          reader.deviceIdLength(),
          reader.generation(),
          deviceKey);
      if (!reader.isAuthentic(hmac, deviceKey)) {
        continue;
      }
      answeredBytes +=
          writer
              .begin(DatagramType.KEEPALIVE_ANSWER, reader.bytes(), reader.transactionIdOffset())
              .mappedAddress(0, 0xFFFF_CB00_7101L, 40_001)
              .status(0, reader.sequence() + round, 0)
              .pathToken(reader.pathToken() + round)
              .finish(hmac, deviceKey);
    }
    return answeredBytes;
  }

  private byte[] keepaliveOf(byte[] master) {
    Keepalive keepalive = Samples.keepalive(random, false);
    return keepalive.encode(DeviceKey.derive(master, keepalive.deviceId(), keepalive.generation()));
  }
}
