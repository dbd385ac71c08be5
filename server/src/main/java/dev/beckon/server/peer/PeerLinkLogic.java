package dev.beckon.server.peer;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.DenyListPart;
import dev.beckon.protocol.peer.PeerBye;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerRenewal;
import dev.beckon.protocol.peer.PeerRenewalRequest;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.protocol.peer.PeerWelcome;
import dev.beckon.protocol.peer.WakeAnswer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * An enrolled server's side of its connection to the rendezvous server, over and over again.
 *
 * <pre>
 *   WAITING ──time──▶ DIALLING ──connected──▶ GREETING ──PeerWelcome──▶ LISTING ──deny-list──▶ UP
 *      ▲                 │ fails                 │ 10 s, PeerBye         │ silence, PeerBye, lost │
 *      └─────────────────┴───────────────────────┴───────────────────────┴───────────────────────┘
 *   In WAITING for 0.5 s, 1 s, 2 s, 4 s, then 5 s each; the lower half of it by lot.
 * </pre>
 *
 * <p>Is up only behind the whole deny-list: a device that was enrolled again meanwhile must not be
 * woken for what its predecessor was handed.
 *
 * <p>Remembers no wakes: those who wait for one are in the command store, and are asked for again
 * after each {@link LinkEffect.Up}. Knows no clock, thread or socket. Not thread-safe.
 */
final class PeerLinkLogic {

  private enum Phase {
    WAITING,
    DIALLING,
    GREETING,
    LISTING,
    UP,
    CLOSED
  }

  static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** After an end that will not change by itself, or that two servers of one number fight about. */
  static final long REFUSED_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(60);

  static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final int number;
  private final int generation;
  private final Security security;
  private final RandomGenerator random;

  private Phase phase = Phase.WAITING;
  private boolean toldAway;
  private long phaseEndsNanos;
  private long pauseNanos = FIRST_PAUSE_NANOS;
  private Pulse pulse;
  private long lastRequestId;
  private String name = "";

  /** Wake requests without an answer: the device that each is about. */
  private final Map<Long, DeviceId> asked = new HashMap<>();

  private List<LinkEffect> effects = new ArrayList<>(2);

  /**
   * @param number of this server, as in its certificate
   * @param generation likewise
   */
  PeerLinkLogic(
      int number, int generation, Security security, RandomGenerator random, long nowNanos) {
    this.number = number;
    this.generation = generation;
    this.security = security;
    this.random = random;
    this.phaseEndsNanos = nowNanos;
    this.pulse = new Pulse(nowNanos);
  }

  boolean isUp() {
    return phase == Phase.UP;
  }

  // ---- the connection

  /**
   * The TLS handshake is done, and the other side is the rendezvous server.
   *
   * @param directoryVersion of the signed list that this server holds; 0 = none
   */
  List<LinkEffect> onConnected(int directoryVersion, long nowNanos) {
    if (phase == Phase.DIALLING) {
      phase = Phase.GREETING;
      phaseEndsNanos = nowNanos + ANSWER_NANOS;
      pulse = new Pulse(nowNanos);
      send(PeerFrames.hello(number, generation, directoryVersion));
    }
    return take();
  }

  /**
   * The connection ended, or could not be made.
   *
   * @param why for people
   */
  List<LinkEffect> onConnectionLost(String why, long nowNanos) {
    if (phase != Phase.WAITING && phase != Phase.CLOSED) {
      pause(PeerEnd.CONNECTION_LOST, why, nowNanos);
    }
    return take();
  }

  List<LinkEffect> onFrame(PeerFrame frame, long nowNanos) {
    if (phase != Phase.GREETING && phase != Phase.LISTING && phase != Phase.UP) {
      return List.of();
    }
    pulse.heard(nowNanos);
    if (frame.hasBye()) {
      left(frame.getBye(), nowNanos);
    } else if (phase == Phase.GREETING) {
      if (frame.hasWelcome()) {
        welcome(frame.getWelcome(), nowNanos);
      }
    } else {
      opened(frame);
    }
    return take();
  }

  private void welcome(PeerWelcome welcome, long nowNanos) {
    if (!welcome.getSecurity().equals(security.text())) {
      String text =
          "security: " + security.text() + " (expected " + welcome.getSecurity() + ", as there)";
      send(PeerFrames.bye(PeerEnd.WRONG_SECURITY, text));
      effects.add(new LinkEffect.Cut());
      pause(PeerEnd.WRONG_SECURITY, text, nowNanos);
      return;
    }
    phase = Phase.LISTING;
    name = welcome.getName();
  }

  private void opened(PeerFrame frame) {
    switch (frame.getKindCase()) {
      case WAKE_ANSWER -> answered(frame.getWakeAnswer());
      case WAKE_EVIDENCE -> effects.add(new LinkEffect.Evidence(frame.getWakeEvidence()));
      case DEVICE_ANSWER ->
          effects.add(
              new LinkEffect.Device(
                  frame.getDeviceAnswer().getRequestId(), frame.getDeviceAnswer()));
      case DENY_LIST_PART -> denied(frame.getDenyListPart());
      case DIRECTORY_CONTENTS, DIRECTORY_PIECE -> effects.add(new LinkEffect.Directory(frame));
      case RENEWAL -> effects.add(new LinkEffect.Renewed(frame.getRenewal()));
      case ROOTS -> effects.add(new LinkEffect.Roots(frame.getRoots()));
      case PING -> send(PeerFrames.PONG);
      default -> {
        // From a newer protocol, or of no use here; the rendezvous server is believed.
      }
    }
  }

  private void answered(WakeAnswer answer) {
    DeviceId id = asked.remove(answer.getRequestId());
    if (id != null && !answer.getRefusal().isEmpty()) {
      effects.add(new LinkEffect.Refused(id, answer.getRefusal()));
    }
  }

  /** The list only grows, so a part of the whole counts at once like any other. */
  private void denied(DenyListPart part) {
    if (part.getMinimumGenerationsCount() > 0) {
      effects.add(new LinkEffect.Denied(Map.copyOf(part.getMinimumGenerationsMap())));
    }
    if (phase == Phase.LISTING && part.getWhole() && part.getLast()) {
      phase = Phase.UP;
      pauseNanos = FIRST_PAUSE_NANOS;
      toldAway = false;
      effects.add(new LinkEffect.Up(name));
    }
  }

  private void left(PeerBye bye, long nowNanos) {
    PeerEnd end =
        Arrays.stream(PeerEnd.values())
            .filter(each -> each.code().equals(bye.getCode()))
            .findFirst()
            .orElse(PeerEnd.CONNECTION_LOST);
    effects.add(new LinkEffect.Cut());
    pause(end, bye.getText(), nowNanos);
  }

  private void pause(PeerEnd end, String why, long nowNanos) {
    phase = Phase.WAITING;
    asked.clear();
    boolean refused =
        switch (end) {
          case REMOVED, REPLACED, WRONG_NUMBER, WRONG_SECURITY -> true;
          default -> false;
        };
    long longest = refused ? REFUSED_PAUSE_NANOS : pauseNanos;
    phaseEndsNanos = nowNanos + longest / 2 + random.nextLong(longest / 2 + 1);
    pauseNanos = Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
    if (!toldAway) {
      toldAway = true;
      effects.add(new LinkEffect.Away(end, why));
    }
  }

  // ---- from the rest of this server

  /** Wakes the device for this server; nothing happens while the rendezvous server is away. */
  List<LinkEffect> wake(DeviceId id, long deadlineMillis) {
    if (phase == Phase.UP) {
      asked.put(++lastRequestId, id);
      send(PeerFrames.wakeRequest(lastRequestId, id.value(), deadlineMillis));
    }
    return take();
  }

  /** The device dialled this server. */
  List<LinkEffect> served(DeviceId id) {
    if (phase == Phase.UP) {
      send(PeerFrames.wakeServed(id.value()));
    }
    return take();
  }

  /** Number of the last request of {@link #query}. */
  long lastRequestId() {
    return lastRequestId;
  }

  /** Asks what the rendezvous server knows of a device; empty if it cannot be asked. */
  Optional<LinkEffect.Send> query(DeviceId id) {
    return phase == Phase.UP
        ? Optional.of(new LinkEffect.Send(PeerFrames.deviceQuery(++lastRequestId, id.value())))
        : Optional.empty();
  }

  /** Says which CA roots this server goes by. */
  List<LinkEffect> holds(PeerRoots roots) {
    return directory(PeerFrames.roots(roots));
  }

  /** Asks for a new certificate; {@link LinkEffect.Renewed} brings it, or nothing. */
  List<LinkEffect> renew(byte[] certificateRequest) {
    if (phase == Phase.UP) {
      send(
          PeerFrame.newBuilder()
              .setRenewalRequest(
                  PeerRenewalRequest.newBuilder()
                      .setCertificateRequest(ByteString.copyFrom(certificateRequest)))
              .build());
    } else {
      effects.add(new LinkEffect.Renewed(PeerRenewal.getDefaultInstance()));
    }
    return take();
  }

  /** Something about the directory is to be sent. */
  List<LinkEffect> directory(PeerFrame frame) {
    if (phase == Phase.UP) {
      send(frame);
    }
    return take();
  }

  /** This server stops. */
  List<LinkEffect> close() {
    if (phase == Phase.GREETING || phase == Phase.LISTING || phase == Phase.UP) {
      send(PeerFrames.bye(PeerEnd.SHUTTING_DOWN, "the server stops"));
      effects.add(new LinkEffect.Cut());
    }
    phase = Phase.CLOSED;
    return take();
  }

  // ---- time

  /** When {@link #onTime} has something to do. */
  OptionalLong deadlineNanos() {
    return switch (phase) {
      case WAITING, GREETING, DIALLING -> OptionalLong.of(phaseEndsNanos);
      case LISTING, UP -> OptionalLong.of(pulse.deadlineNanos());
      case CLOSED -> OptionalLong.empty();
    };
  }

  List<LinkEffect> onTime(long nowNanos) {
    switch (phase) {
      case WAITING -> {
        if (phaseEndsNanos - nowNanos <= 0) {
          phase = Phase.DIALLING;
          phaseEndsNanos = nowNanos + ANSWER_NANOS;
          effects.add(new LinkEffect.Dial());
        }
      }
      case DIALLING, GREETING -> {
        if (phaseEndsNanos - nowNanos <= 0) {
          effects.add(new LinkEffect.Cut());
          pause(PeerEnd.SILENT, "no answer in 10 s", nowNanos);
        }
      }
      case LISTING, UP -> {
        switch (pulse.onTime(nowNanos)) {
          case PING -> send(PeerFrames.PING);
          case DEAD -> {
            effects.add(new LinkEffect.Cut());
            pause(PeerEnd.SILENT, "nothing received for 10 s", nowNanos);
          }
          case NOTHING -> {}
        }
      }
      case CLOSED -> {}
    }
    return take();
  }

  private void send(PeerFrame frame) {
    effects.add(new LinkEffect.Send(frame));
  }

  private List<LinkEffect> take() {
    if (effects.isEmpty()) {
      return List.of();
    }
    List<LinkEffect> taken = effects;
    effects = new ArrayList<>(2);
    return taken;
  }
}
