package dev.beckon.server.session;

import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Update;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of one session, from the end of the TLS handshake to Bye.
 *
 * <pre>
 *   AWAITING_HELLO ──Hello──▶ GREETING ──device read──▶ OPEN ──idle, error, Bye──▶ CLOSED
 *        │                       │                                                   ▲
 *        └── no Hello in time, another device's ID, generation denied, bad frame ────┘
 * </pre>
 *
 * <ul>
 *   <li>AWAITING_HELLO: nothing is answered. Any other frame is a protocol error.
 *   <li>GREETING: the device is admitted and its record is being read. Frames that ride behind
 *       Hello are taken; what they cause to be sent is held back behind Welcome.
 *   <li>OPEN: with push, commands go out as they come; with inquiry, after an Inquiry. At most
 *       {@link SessionConfig#maxCommandsInFlight} are handed over and not ended. A body follows its
 *       command in chunks, read one piece ahead while the connection takes more.
 *   <li>CLOSED: every input is ignored.
 * </ul>
 *
 * <p>A command is never handed over twice in one session, and in the next one only if its end is
 * not durable: the device forgets an ended command with the Receipt, so a command sent again behind
 * its Receipt would run twice. Therefore commands that end while a read of the deliverable ones is
 * under way are struck from what that read brings.
 *
 * <p>Knows no clock, thread, socket or store: each input takes the time and returns what to do.
 * Call {@link #onTime} no later than {@link #deadlineNanos}. Not thread-safe.
 */
final class SessionLogic {

  enum Phase {
    AWAITING_HELLO,
    GREETING,
    OPEN,
    CLOSED
  }

  /** Asks the deny-list; called at Hello. */
  interface Admission {
    boolean denies(String deviceId, int generation);
  }

  /** Updates on their way into the store at which the device is made to wait. */
  static final int MAX_STORES = 64;

  /**
   * How much of a body is read at once: enough to keep a connection busy, little enough to keep.
   */
  static final int READ_AHEAD_BYTES = 4 * SessionConfig.MAX_CHUNK_BYTES;

  /**
   * Idle time for a session that shall not linger. Updates that the device owes from an earlier
   * session ride behind its Hello; closing at once would make it dial again for them.
   */
  static final long SHORT_LINGER_NANOS = 500_000_000;

  private final SessionConfig config;
  private final String certifiedId;
  private final int generation;
  private final Admission admission;

  private final Map<String, Flight> inFlight = new LinkedHashMap<>();
  private final OutgoingBodies outgoing = new OutgoingBodies();
  private final IncomingBodies incoming;
  private final Set<String> endedWhileReading = new HashSet<>();
  private final List<Frame> heldBack = new ArrayList<>();

  private Phase phase = Phase.AWAITING_HELLO;
  private boolean push;
  private boolean linger = true;
  private boolean inquiryOpen;
  private boolean inquiryWaits;
  private boolean commandsBeingRead;
  private boolean readAgain;
  private boolean commandsWait;
  private boolean readingPaused;
  private int stores;
  private long lastActivityNanos;

  /** The device's last sign of life, or when it came to owe something, if that is later. */
  private long lastHeardNanos;

  private List<Effect> effects = new ArrayList<>(4);

  /** A command that this session handed over, or that the device reported as not ended. */
  private enum Flight {
    HANDED_OVER,
    TAKEN
  }

  SessionLogic(
      SessionConfig config,
      String certifiedId,
      int generation,
      Admission admission,
      long nowNanos) {
    this.config = config;
    this.certifiedId = certifiedId;
    this.generation = generation;
    this.admission = admission;
    this.incoming = new IncomingBodies(config.maxBodyBytes());
    this.lastActivityNanos = nowNanos;
    this.lastHeardNanos = nowNanos;
  }

  Phase phase() {
    return phase;
  }

  /** True for an open session that takes commands without being asked. */
  boolean takesPushes() {
    return push && (phase == Phase.GREETING || phase == Phase.OPEN);
  }

  /** Bytes held for result bodies that are not complete. */
  long incomingBytes() {
    return incoming.heldBytes();
  }

  // ---- from the device

  List<Effect> onFrame(Frame frame, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    lastHeardNanos = nowNanos;
    if (phase == Phase.AWAITING_HELLO) {
      switch (frame.getKindCase()) {
        case HELLO -> hello(frame.getHello());
        case BYE -> leave();
        case KIND_NOT_SET -> {}
        default -> refuse("first frame: " + frame.getKindCase() + " (expected HELLO)");
      }
      return take();
    }
    switch (frame.getKindCase()) {
      case INQUIRY -> inquiry(frame.getInquiry().getWakeId());
      case UPDATE -> update(frame.getUpdate());
      case BODY_CHUNK -> follow(incoming.chunk(frame.getBodyChunk()));
      case ACTIONS -> {
        startStore();
        effects.add(new Effect.KeepActions(frame.getActions()));
      }
      case BYE -> leave();
      // A kind from a newer protocol; ignored, so that both sides can be extended.
      case KIND_NOT_SET -> {}
      default -> refuse("frame: " + frame.getKindCase() + " (expected a device's frame)");
    }
    pump();
    return take();
  }

  private void hello(Hello hello) {
    if (!hello.getDeviceId().equals(certifiedId)) {
      close(
          CloseReason.DEVICE_MISMATCH,
          "device ID: not the certificate's (expected " + certifiedId + ")");
      return;
    }
    if (admission.denies(certifiedId, generation)) {
      close(
          CloseReason.REVOKED,
          "generation: " + generation + " (expected a newer one; enroll this device again)");
      return;
    }
    switch (hello.getDelivery()) {
      case DELIVERY_PUSH -> push = true;
      case DELIVERY_INQUIRY -> push = false;
      default -> {
        refuse("delivery: " + hello.getDeliveryValue() + " (expected 1 push or 2 inquiry)");
        return;
      }
    }
    phase = Phase.GREETING;
    commandsBeingRead = push;
    effects.add(new Effect.Admit(hello.getWakeId(), push));
    effects.add(new Effect.ReadDevice(hello.getActionsHash().toByteArray(), push));
  }

  private void inquiry(long wakeId) {
    effects.add(new Effect.Inquired(wakeId));
    if (commandsBeingRead) {
      // The read under way may have missed the command that this inquiry is about.
      inquiryWaits = true;
    } else {
      inquiryOpen = true;
    }
    readCommands();
  }

  private void update(Update update) {
    switch (update.getState()) {
      case DELIVERED, RUNNING, SUCCEEDED, FAILED, REJECTED, EXPIRED, CANCELLED, UNKNOWN -> {}
      default -> {
        refuse("state: " + update.getStateValue() + " (expected 2 to 9)");
        return;
      }
    }
    if (!update.getHasBody()) {
      store(update, null);
      return;
    }
    follow(incoming.begin(update));
  }

  private void follow(IncomingBodies.Step step) {
    if (step.refusal() != null) {
      refuse(step.refusal());
    } else if (step.complete() != null) {
      store(step.complete().update(), step.complete().body());
    }
  }

  private void store(Update update, byte @Nullable [] body) {
    startStore();
    effects.add(new Effect.Store(update, body));
  }

  private void startStore() {
    stores++;
    if (stores >= MAX_STORES && !readingPaused) {
      readingPaused = true;
      effects.add(new Effect.PauseReading());
    }
  }

  private void endStore() {
    stores--;
    if (readingPaused && stores <= MAX_STORES / 2) {
      readingPaused = false;
      effects.add(new Effect.ResumeReading());
    }
  }

  private void leave() {
    phase = Phase.CLOSED;
    effects.add(new Effect.Close(CloseReason.DEVICE_LEFT));
  }

  // ---- from the store

  /**
   * The device's record was read.
   *
   * @param serverTimeMillis unix time for Welcome
   * @param lingers false if the wake that this session follows carried a dial-back delay
   * @param commands the deliverable commands in order of acceptance; null if they were not asked
   *     for
   */
  List<Effect> onDeviceRead(
      boolean actionsWanted,
      long serverTimeMillis,
      boolean lingers,
      @Nullable List<Command> commands,
      long nowNanos) {
    if (phase != Phase.GREETING) {
      return List.of();
    }
    phase = Phase.OPEN;
    linger = lingers;
    effects.add(
        new Effect.Send(
            Frames.welcome(
                serverTimeMillis, lingers ? (int) config.linger().toMillis() : 0, actionsWanted)));
    for (Frame frame : heldBack) {
      effects.add(new Effect.Send(frame));
    }
    heldBack.clear();
    if (commands != null) {
      return onCommandsRead(commands, nowNanos);
    }
    return take();
  }

  /** The deliverable commands were read, in order of acceptance. */
  List<Effect> onCommandsRead(List<Command> commands, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    commandsBeingRead = false;
    int free = push || inquiryOpen ? config.maxCommandsInFlight() - inFlight.size() : 0;
    List<Command> sent = new ArrayList<>();
    boolean moreWait = false;
    for (Command command : commands) {
      String id = command.getCommandId();
      if (inFlight.containsKey(id) || endedWhileReading.contains(id)) {
        continue;
      }
      if (sent.size() >= free) {
        moreWait = true;
        break;
      }
      sent.add(command);
    }
    endedWhileReading.clear();
    if (inquiryOpen && (!sent.isEmpty() || !moreWait)) {
      send(Frames.inquiryAnswer(sent.size()));
    }
    for (Command command : sent) {
      handOver(command, nowNanos);
    }
    // The rest of an inquiry's answer follows as commands end; each part is announced.
    inquiryOpen = inquiryOpen && moreWait;
    commandsWait = moreWait;
    if (readAgain) {
      readAgain = false;
      inquiryOpen |= inquiryWaits;
      inquiryWaits = false;
      readCommands();
    }
    pump();
    return take();
  }

  private void handOver(Command command, long nowNanos) {
    lastActivityNanos = nowNanos;
    if (!deviceOwes()) {
      lastHeardNanos = nowNanos;
    }
    inFlight.put(command.getCommandId(), Flight.HANDED_OVER);
    send(Frames.command(command));
    if (command.getHasBody()) {
      outgoing.add(command);
    }
  }

  /** A part of a body was read, as {@link Effect.ReadBody} asked for it. */
  List<Effect> onBodyRead(String commandId, byte[] content, long nowNanos) {
    List<Frame> chunks = outgoing.read(commandId, content);
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    for (Frame chunk : chunks) {
      lastActivityNanos = nowNanos;
      lastHeardNanos = nowNanos;
      send(chunk);
    }
    pump();
    return take();
  }

  /**
   * An update is durable, or will never be because the store knows no such command of this device;
   * then {@code ended} is what the update said, so that the device forgets it.
   */
  List<Effect> onStored(String commandId, boolean ended, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    endStore();
    if (ended) {
      send(Frames.receipt(commandId));
      end(commandId);
    } else {
      inFlight.put(commandId, Flight.TAKEN);
    }
    pump();
    return take();
  }

  /** The device's actions are durable. */
  List<Effect> onActionsKept(long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    endStore();
    return take();
  }

  /** The store failed; the device will repeat in its next session what it has no Receipt for. */
  List<Effect> onStoreFailed() {
    if (phase != Phase.CLOSED) {
      close(CloseReason.SERVER_FAILED, "store: failed (the device tries again later)");
    }
    return take();
  }

  // ---- from the rest of the server

  /** A command may be deliverable that was not before. */
  List<Effect> onCommandsWaiting(long nowNanos) {
    if (!takesPushes()) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    readCommands();
    return take();
  }

  /** A command ended otherwise than by an update in this session, such as by expiry. */
  List<Effect> onCommandEnded(String commandId) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    end(commandId);
    pump();
    return take();
  }

  /** Somebody wants the command not to start. */
  List<Effect> onCancelAsked(String commandId) {
    if (phase != Phase.GREETING && phase != Phase.OPEN) {
      return List.of();
    }
    send(Frames.cancellation(commandId));
    return take();
  }

  /** The connection takes more, or no more for now. */
  List<Effect> onWritable(boolean nowWritable) {
    outgoing.writable(nowWritable);
    pump();
    return take();
  }

  /** Ends the session with a Bye: replaced, revoked, shutting down, or out of memory for bodies. */
  List<Effect> onClose(CloseReason reason, String text) {
    if (phase != Phase.CLOSED) {
      close(reason, text);
    }
    return take();
  }

  /** A frame could not be read. */
  List<Effect> onMalformed(String text) {
    return onClose(CloseReason.PROTOCOL_ERROR, text);
  }

  // ---- time

  /** When {@link #onTime} has something to do; empty while only running commands are waited for. */
  OptionalLong deadlineNanos() {
    return switch (phase) {
      case AWAITING_HELLO -> OptionalLong.of(lastActivityNanos + config.hello().toNanos());
      case GREETING -> OptionalLong.of(lastActivityNanos + config.stall().toNanos());
      case OPEN -> {
        if (deviceOwes()) {
          yield OptionalLong.of(lastHeardNanos + config.stall().toNanos());
        }
        yield idle() ? OptionalLong.of(lastActivityNanos + lingerNanos()) : OptionalLong.empty();
      }
      case CLOSED -> OptionalLong.empty();
    };
  }

  List<Effect> onTime(long nowNanos) {
    OptionalLong deadline = deadlineNanos();
    if (deadline.isEmpty() || deadline.getAsLong() - nowNanos > 0) {
      return List.of();
    }
    switch (phase) {
      case AWAITING_HELLO ->
          close(CloseReason.TOO_SLOW, "Hello: none in " + config.hello().toMillis() + " ms");
      case GREETING -> close(CloseReason.SERVER_FAILED, "store: no answer (try again later)");
      default -> {
        if (deviceOwes()) {
          close(
              CloseReason.TOO_SLOW,
              "nothing received for " + config.stall().toMillis() + " ms (expected an Update)");
        } else {
          close(CloseReason.IDLE, "");
        }
      }
    }
    return take();
  }

  private long lingerNanos() {
    return linger
        ? config.linger().toNanos()
        : Math.min(SHORT_LINGER_NANOS, config.linger().toNanos());
  }

  private boolean idle() {
    return inFlight.isEmpty()
        && incoming.isEmpty()
        && outgoing.isEmpty()
        && stores == 0
        && !commandsBeingRead;
  }

  private boolean deviceOwes() {
    return !incoming.isEmpty() || !outgoing.isEmpty() || inFlight.containsValue(Flight.HANDED_OVER);
  }

  // ---- common

  private void readCommands() {
    if (commandsBeingRead) {
      readAgain = true;
    } else {
      commandsBeingRead = true;
      effects.add(new Effect.ReadCommands());
    }
  }

  private void end(String commandId) {
    outgoing.drop(commandId);
    if (commandsBeingRead) {
      endedWhileReading.add(commandId);
    }
    if (inFlight.remove(commandId) != null && commandsWait) {
      commandsWait = false;
      readCommands();
    }
  }

  /** Asks for the next piece of the first body, if the connection takes it. */
  private void pump() {
    Effect.ReadBody next = phase == Phase.OPEN ? outgoing.next() : null;
    if (next != null) {
      effects.add(next);
    }
  }

  private void send(Frame frame) {
    if (phase == Phase.GREETING) {
      heldBack.add(frame);
    } else {
      effects.add(new Effect.Send(frame));
    }
  }

  private void refuse(String text) {
    close(CloseReason.PROTOCOL_ERROR, text);
  }

  private void close(CloseReason reason, String text) {
    phase = Phase.CLOSED;
    heldBack.clear();
    incoming.clear();
    outgoing.clear();
    effects.add(new Effect.Send(Frames.bye(reason, text)));
    effects.add(new Effect.Close(reason));
  }

  private List<Effect> take() {
    if (effects.isEmpty()) {
      return List.of();
    }
    List<Effect> taken = effects;
    effects = new ArrayList<>(4);
    return taken;
  }
}
