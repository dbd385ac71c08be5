package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Interval;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Where each device is, and the rules by which that changes. Thread-safe.
 *
 * <p>A row exists only for devices whose address was proven once, and its address only ever changes
 * to a proven one.
 */
public final class Registrar {
  /**
   * Two keepalives may get lost, each up to 10 % late, and the third may need its retransmissions
   * (3.5 s). Too short would show working devices as silent; too long only delays that news.
   */
  private static final double REACHABLE_INTERVALS = 3.3;

  private static final Duration REACHABLE_SLACK = Duration.ofSeconds(4);

  private final BindingTable table;
  private final SipHash tagHash;

  /**
   * @param tableKey 16 secret bytes that stay the same as long as the table
   */
  public Registrar(BindingTable table, byte[] tableKey) {
    this.table = table;
    this.tagHash = new SipHash(tableKey);
  }

  /** The keyed hash by which a device is found; never 0. */
  public long tag(DeviceId deviceId) {
    byte[] id = deviceId.bytes();
    return tag(id, 0, id.length);
  }

  long tag(byte[] bytes, int offset, int length) {
    long tag = tagHash.hash(bytes, offset, length);
    return tag == 0 ? 1 : tag;
  }

  /** As {@link BindingTable#fetch}. */
  long fetch(long[] tags, int count) {
    return table.fetch(tags, count);
  }

  /**
   * Applies an authentic keepalive.
   *
   * @param arrived the row as the keepalive would have it; its flags are not looked at
   * @param pathToken that the keepalive carried
   * @param row receives the row as it stands afterwards; unchanged if there is none
   */
  Outcome update(Binding arrived, long pathToken, PathTokens tokens, long nowMillis, Binding row) {
    long tag = arrived.tag;
    table.lock(tag);
    try {
      row.sequence = -1;
      row.flags = 0;
      boolean known = table.read(tag, row);
      if (arrived.sequence < row.sequence) {
        return Outcome.STALE;
      }
      boolean proven =
          (known && row.isAt(arrived.addressHigh, arrived.addressLow, arrived.port))
              || tokens.isValid(
                  pathToken, tag, arrived.addressHigh, arrived.addressLow, arrived.port, nowMillis);
      if (!proven) {
        return Outcome.UNPROVEN;
      }
      if (arrived.sequence == row.sequence) {
        return Outcome.REPEATED;
      }
      // A device without a row may have wakes waiting for it: have them looked up once.
      arrived.flags = known ? row.flags : Binding.WAKE_OUTSTANDING;
      arrived.lastSeenSeconds = nowMillis / 1000;
      table.write(arrived);
      row.flags = arrived.flags;
      return Outcome.ACCEPTED;
    } finally {
      table.unlock(tag);
    }
  }

  /** Copies the row of a device; false if it never proved an address. */
  public boolean read(long tag, Binding into) {
    return table.read(tag, into);
  }

  /** Notes whether keepalives of this device concern the wakes. */
  public void setWakeOutstanding(long tag, boolean outstanding) {
    Binding row = new Binding();
    table.lock(tag);
    try {
      if (table.read(tag, row)) {
        row.flags =
            outstanding
                ? row.flags | Binding.WAKE_OUTSTANDING
                : row.flags & ~Binding.WAKE_OUTSTANDING;
        table.write(row);
      }
    } finally {
      table.unlock(tag);
    }
  }

  /** Whether a wake would reach the device, as far as its keepalives tell. */
  public boolean isReachable(long tag, long nowMillis) {
    Binding row = new Binding();
    return table.read(tag, row) && isReachable(row, nowMillis);
  }

  private static boolean isReachable(Binding row, long nowMillis) {
    Duration interval = new Interval(row.intervalCode).toDuration();
    long windowMillis =
        (long) (interval.toMillis() * REACHABLE_INTERVALS) + REACHABLE_SLACK.toMillis();
    return nowMillis < row.lastSeenSeconds * 1_000L + windowMillis;
  }

  /** Where a device is; empty if it never proved an address. */
  public Optional<Presence> presence(DeviceId deviceId, Instant now) {
    Binding row = new Binding();
    if (!table.read(tag(deviceId), row)) {
      return Optional.empty();
    }
    Duration interval = new Interval(row.intervalCode).toDuration();
    Instant lastSeen = Instant.ofEpochSecond(row.lastSeenSeconds);
    return Optional.of(
        new Presence(
            row.mappedAddress(),
            lastSeen,
            isReachable(row, now.toEpochMilli()),
            interval,
            row.socket));
  }

  /** Number of devices with a binding. */
  public long size() {
    return table.size();
  }
}
