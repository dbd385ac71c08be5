package dev.beckon.device.keepalive;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * When a device sends which keepalive.
 *
 * <p>One at the start, one 3 s after the first answer and after each change of the mapped address,
 * then one per interval (± 10 %). A request that stays unanswered is sent again, the same bytes,
 * after 0.5, 1.5 and 3.5 s. Three silent intervals in a row: a new socket, and the server's name is
 * resolved again. While the server stays silent on UDP the device dials in now and then.
 *
 * <p><b>Which keepalives are one-way.</b> None, unless {@link KeepaliveTiming#oneWay} says so. Then
 * the first three after a start are answered ones, and of the following every 4th; so is every one
 * while the last request is unanswered or the mapped address is not proven.
 *
 * <p>Knows no clock, socket or thread. The caller passes the time in, does what the effects say,
 * and calls {@link #onTime} no later than {@link #nextNanos}. Not thread-safe.
 */
public final class KeepaliveLogic {
  /**
   * Linux moves a mapping from its 30 s class to its 120 s class only after two answered exchanges
   * more than 2 s apart.
   */
  private static final long SECOND_EXCHANGE_NANOS = Duration.ofSeconds(3).toNanos();

  /** When an unanswered request is sent again, counted from the first time. */
  private static final long[] RETRANSMISSIONS_NANOS = {
    TimeUnit.MILLISECONDS.toNanos(500),
    TimeUnit.MILLISECONDS.toNanos(1500),
    TimeUnit.MILLISECONDS.toNanos(3500)
  };

  /** Above this interval a mapping that a rebooted router made anew would die unnoticed. */
  private static final Duration REPEAT_ABOVE = Duration.ofSeconds(25);

  private static final int REQUESTS_AFTER_START = 3;
  private static final int REQUEST_EVERY = 4;
  private static final int SILENT_INTERVALS = 3;
  private static final double INTERVAL_JITTER = 0.1;
  private static final double DIAL_IN_JITTER = 0.2;
  private static final long FIRST_DIAL_IN_MIN_NANOS = Duration.ofMinutes(5).toNanos();
  private static final long FIRST_DIAL_IN_MAX_NANOS = Duration.ofMinutes(60).toNanos();
  private static final long SILENT_DIAL_IN_NANOS = Duration.ofHours(6).toNanos();
  private static final long DIAL_IN_NANOS = Duration.ofHours(24).toNanos();

  /**
   * So many keepalives may follow an answer at once within one interval. A NAT that maps every
   * datagram anew would otherwise make device and server play ping-pong.
   */
  private static final int MAX_PROMPT = 3;

  /** Answers are matched to so many requests: one may take longer than an interval of the lab. */
  private static final int REMEMBERED_REQUESTS = 4;

  /** A wake may echo any of so many sent sequences, however long the server was silent. */
  private static final int REMEMBERED_SEQUENCES = 256;

  private record Request(Keepalive keepalive, byte[] bytes, long sentNanos) {}

  private final DeviceId deviceId;
  private final KeyRing keys;
  private final KeepaliveTiming timing;
  private final DoubleSupplier random;
  private final Supplier<byte[]> transactionIds;

  private final Deque<Request> requests = new ArrayDeque<>();
  private final Deque<Long> sent = new ArrayDeque<>();
  private long lastSequence;
  private long newestAnswered = -1;
  private long secondNewestAnswered = -1;
  private long pathToken;
  private @Nullable InetSocketAddress mapped;

  private boolean started;
  private boolean answeredSinceStart;
  private boolean unproven;
  private boolean waiting; // the newest request is unanswered
  private int retransmissions;
  private int sinceStart;
  private int sinceRequest;
  private int sinceRepeat;
  private boolean repeating;
  private int prompt;
  private int silentIntervals;
  private boolean silent;
  private long nextKeepaliveNanos;
  private long nextDialInNanos;

  /**
   * @param random uniform in [0, 1), for jitter
   * @param transactionIds 12 unpredictable bytes each
   */
  public KeepaliveLogic(
      DeviceId deviceId,
      KeyRing keys,
      KeepaliveTiming timing,
      DoubleSupplier random,
      Supplier<byte[]> transactionIds,
      long nowNanos) {
    this.deviceId = deviceId;
    this.keys = keys;
    this.timing = timing;
    this.random = random;
    this.transactionIds = transactionIds;
    this.nextKeepaliveNanos = nowNanos;
    this.nextDialInNanos = nowNanos + jittered(DIAL_IN_NANOS, DIAL_IN_JITTER);
  }

  /** A fresh socket is open, the first one or one after {@link KeepaliveEffect.Rebind}. */
  public List<KeepaliveEffect> start(long nowNanos, long wallMillis) {
    started = true;
    answeredSinceStart = false;
    sinceStart = 0;
    sinceRequest = 0;
    sinceRepeat = 0;
    repeating = false;
    prompt = 0;
    requests.clear();
    waiting = false;
    List<KeepaliveEffect> effects = new ArrayList<>();
    send(effects, nowNanos, wallMillis);
    return effects;
  }

  /** Does what is due. */
  public List<KeepaliveEffect> onTime(long nowNanos, long wallMillis) {
    List<KeepaliveEffect> effects = new ArrayList<>();
    if (nextDialInNanos - nowNanos <= 0) {
      scheduleDialIn(nowNanos);
      effects.add(new KeepaliveEffect.DialIn());
    }
    if (!started) {
      return effects;
    }
    if (nextKeepaliveNanos - nowNanos <= 0) {
      if (waiting && ++silentIntervals >= SILENT_INTERVALS) {
        silentIntervals = 0;
        started = false;
        onSilence(nowNanos);
        effects.add(new KeepaliveEffect.Rebind());
      } else {
        prompt = 0;
        send(effects, nowNanos, wallMillis);
      }
    } else if (waiting && nextRetransmissionNanos() - nowNanos <= 0) {
      retransmissions++;
      effects.add(new KeepaliveEffect.Send(requests.getLast().bytes()));
    }
    return effects;
  }

  /** When {@link #onTime} has something to do next. */
  public long nextNanos() {
    long next = nextDialInNanos;
    if (started) {
      next = earlier(next, nextKeepaliveNanos);
      if (waiting && retransmissions < RETRANSMISSIONS_NANOS.length) {
        next = earlier(next, nextRetransmissionNanos());
      }
    }
    return next;
  }

  /**
   * An answer came, authentic under {@code key}. One to no request of ours changes nothing.
   *
   * @param wallMillis the device's clock as set by this answer
   */
  public List<KeepaliveEffect> onAnswer(
      KeepaliveAnswer answer, KeyRing.Key key, long nowNanos, long wallMillis) {
    Request request = take(answer.transactionId());
    if (request == null || !started) {
      return List.of();
    }
    List<KeepaliveEffect> effects = new ArrayList<>();
    keys.answered(key);
    boolean first = !answeredSinceStart;
    answeredSinceStart |= !answer.stale();
    silentIntervals = 0;
    onUdpAnswers(nowNanos);
    long sequence = request.keepalive().sequence();
    boolean newest = sequence == lastSequence || answer.stale();
    effects.add(
        new KeepaliveEffect.Answered(
            answer.mappedAddress(), answer.serverTimeMillis(), answer.directoryVersion(), first));
    if (newest) {
      waiting = false;
    }
    if (answer.stale()) {
      lastSequence = Math.max(lastSequence, answer.lastSequence());
      sendPromptly(effects, nowNanos, wallMillis);
      return effects;
    }
    noteAnswered(sequence);
    if (!newest) {
      return effects; // an older request's: its token and its mapped address are history
    }
    pathToken = answer.pathToken();
    unproven = answer.unproven();
    boolean moved = !answer.mappedAddress().equals(mapped);
    if (moved) {
      mapped = answer.mappedAddress();
      effects.add(new KeepaliveEffect.Remapped(answer.mappedAddress()));
    }
    if (unproven) {
      sendPromptly(effects, nowNanos, wallMillis);
    }
    if (first || (moved && prompt < MAX_PROMPT)) {
      // Must come after a prompt keepalive, which would put the next one off by an interval.
      nextKeepaliveNanos = nowNanos + SECOND_EXCHANGE_NANOS;
    }
    return effects;
  }

  /** A session stands: no need to dial in for a while. */
  public void onSession(long nowNanos) {
    scheduleDialIn(nowNanos);
  }

  /**
   * Whether a wake that echoes this sequence is fresh: the device sent it, and it is not older than
   * the second-newest answered one.
   */
  public boolean isFresh(long sequenceEcho) {
    return sent.contains(sequenceEcho) && sequenceEcho >= secondNewestAnswered;
  }

  /** The address that the server saw last, or null before the first answer. */
  public @Nullable InetSocketAddress mappedAddress() {
    return mapped;
  }

  private void sendPromptly(List<KeepaliveEffect> effects, long nowNanos, long wallMillis) {
    if (prompt < MAX_PROMPT) {
      prompt++;
      send(effects, nowNanos, wallMillis);
    }
  }

  private void send(List<KeepaliveEffect> effects, long nowNanos, long wallMillis) {
    lastSequence = Math.max(lastSequence + 1, wallMillis) & 0xFFFF_FFFF_FFFFL;
    sent.addLast(lastSequence);
    if (sent.size() > REMEMBERED_SEQUENCES) {
      sent.removeFirst();
    }
    boolean oneWay = isNextOneWay();
    KeyRing.Key key = keys.current();
    Keepalive keepalive =
        new Keepalive(
            transactionIds.get(),
            deviceId,
            key.keyId(),
            timing.announced(),
            key.generation(),
            lastSequence,
            pathToken,
            oneWay);
    byte[] bytes = keys.encode(keepalive, key);
    effects.add(new KeepaliveEffect.Send(bytes));
    sinceStart++;
    if (oneWay) {
      sinceRequest++;
    } else {
      sinceRequest = 0;
      waiting = true;
      retransmissions = 0;
      requests.addLast(new Request(keepalive, bytes, nowNanos));
      if (requests.size() > REMEMBERED_REQUESTS) {
        requests.removeFirst();
      }
    }
    scheduleNext(oneWay, nowNanos);
  }

  private boolean isNextOneWay() {
    return timing.oneWay()
        && sinceStart >= REQUESTS_AFTER_START
        && sinceRequest < REQUEST_EVERY - 1
        && answeredSinceStart
        && !waiting
        && !unproven
        && !repeating
        && !keys.hasFormer();
  }

  private void scheduleNext(boolean oneWay, long nowNanos) {
    if (repeating) {
      repeating = false;
    } else if (timing.interval().compareTo(REPEAT_ABOVE) > 0) {
      sinceRepeat++;
      if (sinceRepeat >= REQUEST_EVERY && !oneWay) {
        sinceRepeat = 0;
        repeating = true;
        nextKeepaliveNanos = nowNanos + SECOND_EXCHANGE_NANOS;
        return;
      }
    }
    nextKeepaliveNanos = nowNanos + jittered(timing.interval().toNanos(), INTERVAL_JITTER);
  }

  private long nextRetransmissionNanos() {
    return retransmissions < RETRANSMISSIONS_NANOS.length
        ? requests.getLast().sentNanos() + RETRANSMISSIONS_NANOS[retransmissions]
        : nextKeepaliveNanos;
  }

  private @Nullable Request take(byte[] transactionId) {
    for (Request request : requests) {
      if (Arrays.equals(request.keepalive().transactionId(), transactionId)) {
        requests.remove(request);
        return request;
      }
    }
    return null;
  }

  private void noteAnswered(long sequence) {
    if (sequence > newestAnswered) {
      secondNewestAnswered = newestAnswered;
      newestAnswered = sequence;
    } else if (sequence > secondNewestAnswered && sequence < newestAnswered) {
      secondNewestAnswered = sequence;
    }
    while (!sent.isEmpty() && sent.getFirst() < secondNewestAnswered) {
      sent.removeFirst();
    }
  }

  private void onSilence(long nowNanos) {
    if (!silent) {
      silent = true;
      long spread = FIRST_DIAL_IN_MAX_NANOS - FIRST_DIAL_IN_MIN_NANOS;
      nextDialInNanos = nowNanos + FIRST_DIAL_IN_MIN_NANOS + (long) (random.getAsDouble() * spread);
    }
  }

  private void onUdpAnswers(long nowNanos) {
    if (silent) {
      silent = false;
      scheduleDialIn(nowNanos);
    }
  }

  private void scheduleDialIn(long nowNanos) {
    nextDialInNanos =
        nowNanos + jittered(silent ? SILENT_DIAL_IN_NANOS : DIAL_IN_NANOS, DIAL_IN_JITTER);
  }

  private long jittered(long nanos, double part) {
    return (long) (nanos * (1 - part + 2 * part * random.getAsDouble()));
  }

  private static long earlier(long a, long b) {
    return a - b <= 0 ? a : b;
  }
}
