package dev.beckon.server.peer;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerHello;
import dev.beckon.protocol.peer.PeerRenewal;
import dev.beckon.protocol.peer.PeerRoots;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The rendezvous server's side of one connection of an enrolled server, from the end of the TLS
 * handshake to PeerBye.
 *
 * <pre>
 *   AWAITING_HELLO ──PeerHello──▶ ADMITTING ──name read──▶ OPEN ──silence, error, PeerBye──▶ CLOSED
 *        └── none in time, another number, not admitted, bad frame ──────────────────────────▲
 * </pre>
 *
 * <p>Knows no clock, thread, socket or store: each input takes the time and returns what to do.
 * Call {@link #onTime} no later than {@link #deadlineNanos}. Not thread-safe.
 */
final class PeerLogic {

  /** Who is let in: the newest generation of a server that was not removed. */
  @FunctionalInterface
  interface Admission {
    boolean admits(int number, int generation);
  }

  private enum Phase {
    AWAITING_HELLO,
    ADMITTING,
    OPEN,
    CLOSED
  }

  static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** Requests under way at one time; behind them reading stops until one is answered. */
  static final int MAX_REQUESTS = 256;

  private final int number;
  private final int generation;
  private final Admission admission;
  private final Security security;
  private final long startNanos;
  private final Pulse pulse;

  private Phase phase = Phase.AWAITING_HELLO;
  private int requests;
  private boolean paused;
  private List<PeerEffect> effects = new ArrayList<>(2);

  /**
   * @param number in the certificate
   * @param generation likewise
   * @param security of this server; the other one must run in the same
   */
  PeerLogic(int number, int generation, Admission admission, Security security, long nowNanos) {
    this.number = number;
    this.generation = generation;
    this.admission = admission;
    this.security = security;
    this.startNanos = nowNanos;
    this.pulse = new Pulse(nowNanos);
  }

  boolean isOpen() {
    return phase == Phase.OPEN;
  }

  // ---- from the other server

  List<PeerEffect> onFrame(PeerFrame frame, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    pulse.heard(nowNanos);
    if (phase == Phase.AWAITING_HELLO) {
      switch (frame.getKindCase()) {
        case HELLO -> hello(frame.getHello());
        case BYE -> leave();
        case KIND_NOT_SET -> {}
        default ->
            close(
                PeerEnd.PROTOCOL_ERROR,
                "first frame: " + frame.getKindCase() + " (expected HELLO)");
      }
      return take();
    }
    switch (frame.getKindCase()) {
      case WAKE_REQUEST -> {
        DeviceId id = deviceId(frame.getWakeRequest().getDeviceId());
        if (id != null) {
          request(
              new PeerEffect.Wake(
                  frame.getWakeRequest().getRequestId(),
                  id,
                  frame.getWakeRequest().getDeadlineMillis()));
        }
      }
      case DEVICE_QUERY -> {
        DeviceId id = deviceId(frame.getDeviceQuery().getDeviceId());
        if (id != null) {
          request(new PeerEffect.ReadDevice(frame.getDeviceQuery().getRequestId(), id));
        }
      }
      case WAKE_SERVED -> {
        DeviceId id = deviceId(frame.getWakeServed().getDeviceId());
        if (id != null) {
          effects.add(new PeerEffect.Served(id));
        }
      }
      case RENEWAL_REQUEST ->
          request(
              new PeerEffect.Renew(
                  frame.getRenewalRequest().getCertificateRequest().toByteArray()));
      case ROOTS -> effects.add(new PeerEffect.Holds(frame.getRoots()));
      case DIRECTORY_PIECE -> effects.add(new PeerEffect.Directory(frame));
      case PING -> send(PeerFrames.PONG);
      case PONG -> {}
      case BYE -> leave();
      // A kind from a newer protocol; ignored, so that both sides can be extended.
      case KIND_NOT_SET -> {}
      default ->
          close(
              PeerEnd.PROTOCOL_ERROR,
              "frame: " + frame.getKindCase() + " (expected an enrolled server's frame)");
    }
    return take();
  }

  private void hello(PeerHello hello) {
    if (hello.getNumber() != number || hello.getGeneration() != generation) {
      close(
          PeerEnd.WRONG_NUMBER,
          "number: "
              + Integer.toUnsignedString(hello.getNumber())
              + "/"
              + Integer.toUnsignedString(hello.getGeneration())
              + " (expected the certificate's, "
              + number
              + "/"
              + generation
              + ")");
    } else if (!admission.admits(number, generation)) {
      removed();
    } else {
      phase = Phase.ADMITTING;
      effects.add(new PeerEffect.Admit(hello.getDirectoryVersion()));
    }
  }

  private @Nullable DeviceId deviceId(String text) {
    try {
      return new DeviceId(text);
    } catch (IllegalArgumentException malformed) {
      close(PeerEnd.PROTOCOL_ERROR, String.valueOf(malformed.getMessage()));
      return null;
    }
  }

  private void request(PeerEffect effect) {
    effects.add(effect);
    if (++requests >= MAX_REQUESTS && !paused) {
      paused = true;
      effects.add(new PeerEffect.PauseReading());
    }
  }

  private void answered() {
    if (--requests < MAX_REQUESTS && paused) {
      paused = false;
      effects.add(new PeerEffect.ResumeReading());
    }
  }

  private void leave() {
    phase = Phase.CLOSED;
    effects.add(new PeerEffect.Close(PeerEnd.CONNECTION_LOST));
  }

  // ---- from the rest of the rendezvous server

  /**
   * This is the server's one connection now.
   *
   * @param name of it in the directory
   * @param denied the whole deny-list at this moment
   */
  List<PeerEffect> onAdmitted(String name, Map<String, Integer> denied, long serverTimeMillis) {
    if (phase != Phase.ADMITTING) {
      return List.of();
    }
    // It may have been removed after its Hello was checked and before it could be found.
    if (!admission.admits(number, generation)) {
      removed();
      return take();
    }
    phase = Phase.OPEN;
    send(PeerFrames.welcome(serverTimeMillis, name, security.text()));
    PeerFrames.denyList(denied).forEach(this::send);
    return take();
  }

  List<PeerEffect> onDeviceRead(
      long requestId, boolean known, int generationOfDevice, boolean revoked) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    answered();
    send(PeerFrames.deviceAnswer(requestId, known, generationOfDevice, revoked));
    return take();
  }

  /**
   * @param wakeId 0 if refused
   * @param refusal why; empty if it was not
   */
  List<PeerEffect> onWakeAsked(long requestId, long wakeId, String refusal) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    answered();
    send(PeerFrames.wakeAnswer(requestId, wakeId, refusal));
    return take();
  }

  List<PeerEffect> onRenewed(PeerRenewal renewal) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    answered();
    send(PeerFrame.newBuilder().setRenewal(renewal).build());
    return take();
  }

  /** A request could not be carried out; the other server asks again when it reconnects. */
  List<PeerEffect> onFailed() {
    if (phase != Phase.CLOSED) {
      close(PeerEnd.PROTOCOL_ERROR, "server: failed (try again)");
    }
    return take();
  }

  List<PeerEffect> onEvidence(
      DeviceId id, long wakeId, long atMillis, String event, Map<String, String> details) {
    return whileOpen(PeerFrames.evidence(id.value(), wakeId, atMillis, event, details));
  }

  /** The deny-list was raised. Before Welcome it says nothing: the whole list is still to come. */
  List<PeerEffect> onDenied(DeviceId id, int minimumGeneration) {
    return whileOpen(PeerFrames.denied(id.value(), minimumGeneration));
  }

  /** Which CA roots count now. */
  List<PeerEffect> onRoots(PeerRoots ofToday) {
    return whileOpen(PeerFrames.roots(ofToday));
  }

  /** Something about the directory is to be sent. */
  List<PeerEffect> onDirectory(PeerFrame frame) {
    return whileOpen(frame);
  }

  private List<PeerEffect> whileOpen(PeerFrame frame) {
    if (phase == Phase.OPEN) {
      send(frame);
    }
    return take();
  }

  /** Ends the connection with a PeerBye: replaced, removed, shutting down, not readable. */
  List<PeerEffect> onClose(PeerEnd end, String text) {
    if (phase != Phase.CLOSED) {
      close(end, text);
    }
    return take();
  }

  List<PeerEffect> onConnectionLost() {
    if (phase != Phase.CLOSED) {
      leave();
    }
    return take();
  }

  // ---- time

  long deadlineNanos() {
    return phase == Phase.AWAITING_HELLO ? startNanos + HELLO_NANOS : pulse.deadlineNanos();
  }

  boolean isClosed() {
    return phase == Phase.CLOSED;
  }

  List<PeerEffect> onTime(long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    if (phase == Phase.AWAITING_HELLO) {
      if (startNanos + HELLO_NANOS - nowNanos <= 0) {
        close(PeerEnd.SILENT, "PeerHello: none in 5 s");
      }
      return take();
    }
    switch (pulse.onTime(nowNanos)) {
      case PING -> send(PeerFrames.PING);
      case DEAD -> close(PeerEnd.SILENT, "nothing received for 10 s");
      case NOTHING -> {}
    }
    return take();
  }

  private void removed() {
    close(PeerEnd.REMOVED, removed(number + "/" + generation));
  }

  /** What a server is told that counts no more. */
  static String removed(String numberAndGeneration) {
    return "server "
        + numberAndGeneration
        + ": removed or enrolled anew (enroll with a code of \"beckon app-server add\")";
  }

  private void send(PeerFrame frame) {
    effects.add(new PeerEffect.Send(frame));
  }

  private void close(PeerEnd end, String text) {
    phase = Phase.CLOSED;
    send(PeerFrames.bye(end, text));
    effects.add(new PeerEffect.Close(end));
  }

  private List<PeerEffect> take() {
    if (effects.isEmpty()) {
      return List.of();
    }
    List<PeerEffect> taken = effects;
    effects = new ArrayList<>(2);
    return taken;
  }
}
