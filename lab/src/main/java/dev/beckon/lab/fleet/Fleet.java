package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.datagram.HmacSha256;
import dev.beckon.protocol.datagram.Interval;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What all simulated devices remember, and the datagrams they send: the rules of a device, with 88
 * bytes for each instead of an object.
 *
 * <pre>
 *    0  device key 32                    56  second-newest answered sequence 8
 *   32  path token 8                     64  the three sequences before the last 3 × 4,
 *   40  last sequence 8                      as distances from it; 0: none
 *   48  newest answered sequence 8       76  flags 4
 *                                        80  when the newest request was due 8
 * </pre>
 *
 * <p>A device here remembers the last four sequences that it sent, where a real one remembers 256;
 * that is still one more than the retransmissions of a silent interval bring.
 *
 * <p>The transaction ID of a request is made so that its answer finds back: a slot of the sender's
 * choice (4 bytes), the low half of the sequence (4), and 4 that nobody else can know.
 *
 * <p>Knows no clock, socket or thread. Not thread-safe.
 */
public final class Fleet {
  /** More would not be told apart by eight digits, and be more than the figures are about. */
  public static final int MAX_DEVICES = 10_000_000;

  /** Of every simulated device; see {@link FleetIds}. */
  static final int GENERATION = 1;

  static final int ID_BYTES = 12;

  /** An unpadded keepalive of a device whose ID has {@link #ID_BYTES}. */
  static final int ONE_WAY_BYTES = 88;

  private static final int ROW_BYTES = 88;
  private static final int TOKEN = 32;
  private static final int LAST = 40;
  private static final int NEWEST_ANSWERED = 48;
  private static final int SECOND_ANSWERED = 56;
  private static final int EARLIER = 64;
  private static final int EARLIER_COUNT = 3;
  private static final int FLAGS = 76;
  private static final int DUE = 80;

  private static final int PROVEN = 1;
  private static final int WAITING = 2;
  private static final int HAS_KEY = 4;
  private static final int PROMPT_ONE = 1 << 8;
  private static final int PROMPT_MASK = 0xFF << 8;

  private static final long MAX_SEQUENCE = 0xFFFF_FFFF_FFFFL;

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfInt INT_BE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /** What an answer means for the device that it came to. */
  public enum Answer {
    /** The keepalive counted. */
    ACCEPTED,
    /** The address is not proven: the device shall echo the token at once. */
    UNPROVEN,
    /** The sequence was too old: the device shall go on from the server's at once. */
    STALE,
    /** Not from somebody who has the device's key. */
    FORGED
  }

  private final int size;
  private final int keyId;
  private final int intervalCode;
  private final int secret;
  private final byte[] masterKey;
  private final MemorySegment rows;

  private final HmacSha256 hmac = new HmacSha256();
  private final DatagramWriter writer = new DatagramWriter();
  private final byte[] deviceKey = new byte[DeviceKey.LENGTH];
  private final byte[] idBytes = "sim-00000000".getBytes(StandardCharsets.US_ASCII);
  private final byte[] transactionId = new byte[DatagramReader.TRANSACTION_ID_BYTES];
  private final MemorySegment transaction = MemorySegment.ofArray(transactionId);

  /**
   * Devices that have sent nothing yet.
   *
   * @param size 1 to {@link #MAX_DEVICES}
   * @param keyId of the master key, 1 to 255
   * @param masterKey 32 bytes, from which each device's key is derived
   * @param interval that the devices announce
   * @param secret makes transaction IDs hard to guess
   */
  public Fleet(Arena arena, int size, int keyId, byte[] masterKey, Interval interval, int secret) {
    if (size < 1 || size > MAX_DEVICES) {
      throw new IllegalArgumentException(
          "devices: " + size + " (expected 1 to " + MAX_DEVICES + ")");
    }
    this.size = size;
    this.keyId = keyId;
    this.intervalCode = interval.code();
    this.secret = secret;
    rows = arena.allocate((long) size * ROW_BYTES, 64);
    this.masterKey = masterKey;
  }

  public int size() {
    return size;
  }

  private static long at(int device) {
    return (long) device * ROW_BYTES;
  }

  /** Writes the device's number into the ID, digit by digit. */
  private void turnTo(int device) {
    int rest = device;
    for (int i = ID_BYTES - 1; i >= 4; i--) {
      idBytes[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  /** The number of the device with this ID; −1 if it is none of this fleet. */
  int deviceOf(byte[] bytes, int offset, int length) {
    if (length != ID_BYTES) {
      return -1;
    }
    int device = 0;
    for (int i = 0; i < ID_BYTES; i++) {
      byte each = bytes[offset + i];
      if (i < 4) {
        if (each != idBytes[i]) {
          return -1;
        }
      } else if (each < '0' || each > '9') {
        return -1;
      } else {
        device = device * 10 + each - '0';
      }
    }
    return device < size ? device : -1;
  }

  /**
   * Writes the device's next keepalive, with a new sequence.
   *
   * @param kind not {@link LoadKind#STUN}
   * @param slot comes back with the answer
   * @param wallMillis unix time, the least that the sequence can be
   * @param dueNanos when it is meant to leave
   */
  void write(
      int device,
      LoadKind kind,
      int slot,
      long wallMillis,
      long dueNanos,
      MemorySegment into,
      long offset) {
    long row = at(device);
    long last = rows.get(LONG, row + LAST);
    long sequence = Math.max(last + 1, wallMillis) & MAX_SEQUENCE;
    remember(row, last, sequence);
    rows.set(LONG, row + DUE, dueNanos);
    int flags = rows.get(INT, row + FLAGS);
    rows.set(INT, row + FLAGS, kind.isAnswered() ? flags | WAITING : flags & ~WAITING);
    rewrite(device, kind, slot, into, offset);
  }

  /** Moves the last sequence to those before it; what is too far away is forgotten. */
  private void remember(long row, long last, long sequence) {
    long step = sequence - last;
    for (int i = EARLIER_COUNT - 1; i > 0; i--) {
      long distance = rows.get(INT, row + EARLIER + 4L * (i - 1));
      rows.set(INT, row + EARLIER + 4L * i, distance == 0 ? 0 : shortened(distance + step));
    }
    rows.set(INT, row + EARLIER, last == 0 ? 0 : shortened(step));
    rows.set(LONG, row + LAST, sequence);
  }

  private static int shortened(long distance) {
    return distance > Integer.MAX_VALUE ? 0 : (int) distance;
  }

  /** Writes the device's last keepalive once more, the same bytes while no answer came. */
  void rewrite(int device, LoadKind kind, int slot, MemorySegment into, long offset) {
    long row = at(device);
    long sequence = rows.get(LONG, row + LAST);
    turnTo(device);
    transaction.set(INT_BE, 0, slot);
    transaction.set(INT_BE, 4, (int) sequence);
    transaction.set(INT_BE, 8, guard(slot, (int) sequence));
    writer
        .begin(kind.type(), transactionId, 0)
        .deviceId(idBytes, 0, ID_BYTES)
        .key(keyId, intervalCode, GENERATION)
        .sequence(sequence)
        .pathToken(rows.get(LONG, row + TOKEN));
    if (kind == LoadKind.KEEPALIVE) {
      writer.fillTo(DatagramReader.MIN_KEEPALIVE_BYTES, true);
    }
    int length = writer.finish(hmac, key(device));
    MemorySegment.copy(writer.bytes(), 0, into, BYTE, offset, length);
  }

  /** The device's key, derived when it is first needed. */
  private byte[] key(int device) {
    long row = at(device);
    int flags = rows.get(INT, row + FLAGS);
    if ((flags & HAS_KEY) != 0) {
      MemorySegment.copy(rows, BYTE, row, deviceKey, 0, DeviceKey.LENGTH);
    } else {
      turnTo(device);
      DeviceKey.derive(hmac, masterKey, idBytes, 0, ID_BYTES, GENERATION, deviceKey);
      MemorySegment.copy(deviceKey, 0, rows, BYTE, row, DeviceKey.LENGTH);
      rows.set(INT, row + FLAGS, flags | HAS_KEY);
    }
    return deviceKey;
  }

  private int guard(int slot, int sequence) {
    long mixed = (((long) slot << 32) ^ sequence ^ secret) * 0x9E37_79B9_7F4A_7C15L;
    return (int) ((mixed ^ (mixed >>> 29)) * 0xBF58_476D_1CE4_E5B9L >>> 32) ^ secret;
  }

  /** The slot of the request that an answer is for; −1 if no request of ours is like that. */
  int slotOf(DatagramReader answer) {
    MemorySegment.copy(
        answer.bytes(),
        answer.transactionIdOffset(),
        transaction,
        BYTE,
        0,
        DatagramReader.TRANSACTION_ID_BYTES);
    int slot = transaction.get(INT_BE, 0);
    return slot >= 0 && transaction.get(INT_BE, 8) == guard(slot, transaction.get(INT_BE, 4))
        ? slot
        : -1;
  }

  /** Whether an answer, whose slot was found, is for the device's newest request. */
  boolean isForNewest(int device, DatagramReader answer) {
    int low = MemorySegment.ofArray(answer.bytes()).get(INT_BE, answer.transactionIdOffset() + 4L);
    return low == (int) rows.get(LONG, at(device) + LAST);
  }

  /**
   * Does what an answer to the newest request asks for. One that fails its check changes nothing.
   *
   * @param answer a well-formed keepalive answer, the slot of which was this device's
   */
  Answer onAnswer(int device, DatagramReader answer) {
    return answer.isAuthentic(hmac, key(device)) ? obey(device, answer) : Answer.FORGED;
  }

  /** As {@link #onAnswer}, of an answer that is believed. */
  Answer obey(int device, DatagramReader answer) {
    long row = at(device);
    int flags = rows.get(INT, row + FLAGS) & ~WAITING;
    Answer result;
    if (answer.isStale()) {
      rows.set(LONG, row + LAST, Math.max(rows.get(LONG, row + LAST), answer.sequence()));
      result = Answer.STALE;
    } else {
      noteAnswered(row);
      rows.set(LONG, row + TOKEN, answer.pathToken());
      result = answer.isUnproven() ? Answer.UNPROVEN : Answer.ACCEPTED;
      flags = answer.isUnproven() ? flags & ~PROVEN : flags | PROVEN;
    }
    rows.set(INT, row + FLAGS, flags);
    return result;
  }

  private void noteAnswered(long row) {
    long sequence = rows.get(LONG, row + LAST);
    long newest = rows.get(LONG, row + NEWEST_ANSWERED);
    if (sequence > newest) {
      rows.set(LONG, row + SECOND_ANSWERED, newest);
      rows.set(LONG, row + NEWEST_ANSWERED, sequence);
    }
  }

  /** Whether the server has taken the device's address for proven. */
  boolean isProven(int device) {
    return (rows.get(INT, at(device) + FLAGS) & PROVEN) != 0;
  }

  /** Whether the device's newest request is unanswered. */
  boolean isWaiting(int device) {
    return (rows.get(INT, at(device) + FLAGS) & WAITING) != 0;
  }

  /** The device waits no longer for an answer to its newest request. */
  void giveUp(int device) {
    long flags = at(device) + FLAGS;
    rows.set(INT, flags, rows.get(INT, flags) & ~WAITING);
  }

  /** A new interval begins: keepalives that follow an answer at once are counted from 0 again. */
  void resetPrompt(int device) {
    long flags = at(device) + FLAGS;
    rows.set(INT, flags, rows.get(INT, flags) & ~PROMPT_MASK);
  }

  /** Counts one that follows an answer at once; how many there were in this interval. */
  int prompt(int device) {
    long flags = at(device) + FLAGS;
    rows.set(INT, flags, rows.get(INT, flags) + PROMPT_ONE);
    return (rows.get(INT, flags) & PROMPT_MASK) / PROMPT_ONE;
  }

  /** When the device's newest keepalive was due. */
  long dueNanos(int device) {
    return rows.get(LONG, at(device) + DUE);
  }

  /**
   * Whether a wake that echoes this sequence is fresh: the device sent it, and it is not older than
   * the second-newest answered one.
   */
  boolean isFresh(int device, long sequenceEcho) {
    long row = at(device);
    if (sequenceEcho < rows.get(LONG, row + SECOND_ANSWERED)) {
      return false;
    }
    long distance = rows.get(LONG, row + LAST) - sequenceEcho;
    if (distance == 0) {
      return true;
    }
    for (int i = 0; i < EARLIER_COUNT; i++) {
      if (distance > 0 && distance == rows.get(INT, row + EARLIER + 4L * i)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a wake was made for this device with its key, by somebody who has it. */
  boolean isAuthentic(int device, DatagramReader wake) {
    return wake.keyId() == keyId
        && wake.generation() == GENERATION
        && wake.isAuthentic(hmac, key(device));
  }

  /** Writes the device's answer to a wake. Returns its length. */
  int writeWakeAnswer(int device, DatagramReader wake, MemorySegment into, long offset) {
    writer
        .begin(DatagramType.WAKE_ANSWER, wake.bytes(), wake.transactionIdOffset())
        .wakeId(wake.wakeId());
    int length = writer.finish(hmac, key(device));
    MemorySegment.copy(writer.bytes(), 0, into, BYTE, offset, length);
    return length;
  }
}
