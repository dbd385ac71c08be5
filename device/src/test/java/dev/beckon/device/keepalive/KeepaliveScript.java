package dev.beckon.device.keepalive;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.protocol.datagram.MalformedDatagramException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Plays a server and the passing of time to {@link KeepaliveLogic}, and writes down what it does.
 * Time is virtual; randomness is pinned to the middle of its range unless a test says otherwise.
 */
abstract class KeepaliveScript {
  static final DeviceId ID = new DeviceId("kitchen");
  static final KeyRing.Key KEY = new KeyRing.Key(1, 2, filled(7));
  static final InetSocketAddress HOME = new InetSocketAddress("203.0.113.1", 40_001);
  static final InetSocketAddress MOVED = new InetSocketAddress("203.0.113.1", 40_002);
  static final long WALL = 1_800_000_000_000L;
  static final long T0 = Long.MAX_VALUE - 1; // monotonic time wraps right away

  double random = 0.5;
  byte nextId;
  long now = T0;
  final KeyRing keys = new KeyRing(KEY);
  KeepaliveLogic logic = logic(Duration.ofSeconds(25), false);

  /** What happened, each with its virtual time in milliseconds. */
  final List<String> log = new ArrayList<>();

  final List<Keepalive> sent = new ArrayList<>();
  final List<byte[]> sentBytes = new ArrayList<>();

  KeepaliveLogic logic(Duration interval, boolean oneWay) {
    return new KeepaliveLogic(
        ID,
        keys,
        new KeepaliveTiming(interval, oneWay),
        () -> random,
        () -> filled12(++nextId),
        T0);
  }

  void start() {
    apply(logic.start(now, WALL + millis()));
  }

  /** Start, answer, second keepalive, answer: the steady state from 3 s on. */
  void settle() {
    start();
    answer(HOME);
    runUntil(3_000);
    answer(HOME);
  }

  void runUntil(long millis) {
    long end = T0 + millis * 1_000_000;
    while (end - logic.nextNanos() >= 0) {
      now = logic.nextNanos();
      apply(logic.onTime(now, WALL + millis()));
    }
    now = end;
  }

  void runAnswered(long untilMillis) {
    long end = T0 + untilMillis * 1_000_000;
    while (end - logic.nextNanos() >= 0) {
      now = logic.nextNanos();
      apply(logic.onTime(now, WALL + millis()));
      answerIfAsked();
    }
    now = end;
  }

  void runSilently(long untilMillis) {
    long end = T0 + untilMillis * 1_000_000;
    while (end - logic.nextNanos() >= 0) {
      now = logic.nextNanos();
      List<KeepaliveEffect> effects = logic.onTime(now, WALL + millis());
      apply(effects);
      if (effects.stream().anyMatch(effect -> effect instanceof KeepaliveEffect.Rebind)) {
        start();
      }
    }
    now = end;
  }

  void runSilentlyFor(long millis) {
    runSilently(millis() + millis);
  }

  void answerIfAsked() {
    if (!last().oneWay()) {
      answer(HOME);
    }
  }

  void answer(InetSocketAddress mapped) {
    answerWith(last(), mapped, false, false, 42, 0);
  }

  KeepaliveAnswer answerTo(Keepalive keepalive) {
    return new KeepaliveAnswer(keepalive.transactionId(), HOME, false, false, WALL, 0, 1, 0);
  }

  void answerWith(
      Keepalive to,
      InetSocketAddress mapped,
      boolean stale,
      boolean unproven,
      long token,
      long last) {
    KeepaliveAnswer answer =
        new KeepaliveAnswer(
            to.transactionId(), mapped, stale, unproven, WALL + millis(), 0, token, last);
    apply(logic.onAnswer(answer, KEY, now, WALL + millis()));
  }

  void apply(List<KeepaliveEffect> effects) {
    for (KeepaliveEffect effect : effects) {
      if (effect instanceof KeepaliveEffect.Send send) {
        log.add(millis() + " send");
        sentBytes.add(send.bytes());
        sent.add(decode(send.bytes()));
      } else if (effect instanceof KeepaliveEffect.Rebind) {
        log.add(millis() + " rebind");
      } else if (effect instanceof KeepaliveEffect.DialIn) {
        log.add(millis() + " dial-in");
      } else if (effect instanceof KeepaliveEffect.Answered) {
        log.add(millis() + " answered");
      } else if (effect instanceof KeepaliveEffect.Remapped remapped) {
        log.add(millis() + " remapped " + remapped.mapped());
      }
    }
  }

  Keepalive decode(byte[] bytes) {
    assertThat(Datagram.isAuthentic(bytes, bytes.length, keys.current().key())).isTrue();
    try {
      return (Keepalive) Datagram.decode(bytes, bytes.length);
    } catch (MalformedDatagramException e) {
      throw new AssertionError(e);
    }
  }

  Keepalive last() {
    return sent.get(sent.size() - 1);
  }

  String kinds() {
    StringBuilder kinds = new StringBuilder();
    sent.forEach(keepalive -> kinds.append(keepalive.oneWay() ? '-' : 'R'));
    return kinds.toString();
  }

  String firstRebind() {
    return log.stream().filter(line -> line.endsWith("rebind")).findFirst().orElseThrow();
  }

  static long millisOf(String line) {
    return Long.parseLong(line.substring(0, line.indexOf(' ')));
  }

  long nextDialInIfAnswered() {
    long from = millis();
    int dialIns = (int) log.stream().filter(line -> line.endsWith("dial-in")).count();
    while (log.stream().filter(line -> line.endsWith("dial-in")).count() == dialIns) {
      now = logic.nextNanos();
      apply(logic.onTime(now, WALL + millis()));
      answerIfAsked();
    }
    return millis() - from;
  }

  long millis() {
    return (now - T0) / 1_000_000;
  }

  static byte[] filled(int value) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  static byte[] filled12(int value) {
    byte[] bytes = new byte[12];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
