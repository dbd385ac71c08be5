package dev.beckon.bench.hot;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.HmacSha256;
import dev.beckon.server.registrar.Authenticator;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A keepalive request of 92 bytes: its framing and fields, and whether it is authentic. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class DecodeBenchmark {
  private static final int COUNT = 1024; // stays in the cache: the computing is measured here

  private final Keepalives keepalives = new Keepalives(COUNT, COUNT, false);
  private final DatagramReader reader = new DatagramReader();
  private final HmacSha256 hmac = new HmacSha256();
  private final Authenticator authenticator =
      Authenticator.of(
          Security.MUTUAL, id -> id == Keepalives.KEY_ID ? keepalives.masterKey() : null);
  private int next;

  public DecodeBenchmark() {
    keepalives.sign(1);
  }

  private byte[] next() {
    return keepalives.datagram(next++ & (COUNT - 1));
  }

  /** Framing and fields. */
  @Benchmark
  public @Nullable Object decode() {
    byte[] bytes = next();
    return reader.read(bytes, bytes.length);
  }

  /** Framing and fields, then the device's key derived, and the integrity checked under it. */
  @Benchmark
  public boolean decodeAndAuthenticate() {
    byte[] bytes = next();
    reader.read(bytes, bytes.length);
    boolean authentic =
        authenticator.turnTo(
                reader.keyId(),
                reader.bytes(),
                reader.deviceIdOffset(),
                reader.deviceIdLength(),
                reader.generation())
            && authenticator.isAuthentic(reader);
    if (!authentic) {
      throw new IllegalStateException("not authentic");
    }
    return true;
  }

  /** One HMAC over 76 bytes, the measure of the above. */
  @Benchmark
  public byte[] hmac() {
    byte[] bytes = next();
    hmac.init(keepalives.masterKey());
    hmac.update(bytes, 0, 72);
    hmac.doFinal(bytes, 0);
    return bytes;
  }
}
