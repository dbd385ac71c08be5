package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.server.directory.SignedList;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
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

  /**
   * Idle time for a session that shall not linger. Updates that the device owes from an earlier
   * session ride behind its Hello; closing at once would make it dial again for them.
   */
  static final long SHORT_LINGER_NANOS = 500_000_000;

  private final SessionConfig config;
  private final String certifiedId;
  private final int generation;
  private final Admission admission;
  private final ServerNumbers numbers;

  private final CommandWindow window;
  private final OutgoingBodies outgoing = new OutgoingBodies();
  private final Intake incoming;
  private final DirectoryTransfer directory;
  private final List<Frame> heldBack = new ArrayList<>();

  private Phase phase = Phase.AWAITING_HELLO;
  private boolean push;

  /** Whether the number that the device means has commands; that of the directory has none. */
  private boolean delivers;

  private boolean linger = true;
  private ByteString actionsHash = ByteString.EMPTY;
  private long phaseSinceNanos;
  private long lastActivityNanos;

  /** The device's last sign of life, or when it came to owe something, if that is later. */
  private long lastHeardNanos;

  private List<Effect> effects = new ArrayList<>(4);

  /**
   * @param directory the signed list that this server holds at the moment
   */
  SessionLogic(
      SessionConfig config,
      String certifiedId,
      int generation,
      Admission admission,
      ServerNumbers numbers,
      Supplier<Optional<SignedList>> directory,
      long nowNanos) {
    this.config = config;
    this.certifiedId = certifiedId;
    this.generation = generation;
    this.admission = admission;
    this.numbers = numbers;
    this.directory = new DirectoryTransfer(directory, effect -> effects.add(effect));
    this.window = new CommandWindow(config.maxCommandsInFlight());
    this.incoming = new Intake(config.maxBodyBytes(), effect -> effects.add(effect));
    this.lastActivityNanos = nowNanos;
    this.lastHeardNanos = nowNanos;
    this.phaseSinceNanos = nowNanos;
  }

  Phase phase() {
    return phase;
  }

  /** True for an open session that takes commands without being asked. */
  boolean takesPushes() {
    return push && delivers && (phase == Phase.GREETING || phase == Phase.OPEN);
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
        case HELLO -> hello(frame.getHello(), nowNanos);
        case BYE -> leave(CloseReason.DEVICE_LEFT);
        case KIND_NOT_SET -> {}
        default ->
            close(
                CloseReason.PROTOCOL_ERROR,
                "first frame: " + frame.getKindCase() + " (expected HELLO)");
      }
      return take();
    }
    switch (frame.getKindCase()) {
      case INQUIRY -> inquiry(frame.getInquiry().getWakeId());
      case UPDATE -> closeIf(incoming.update(frame.getUpdate()));
      case BODY_CHUNK -> closeIf(incoming.chunk(frame.getBodyChunk()));
      case ACTIONS -> incoming.actions(frame.getActions(), actionsHash);
      case DIRECTORY_REQUEST -> directory.asked(frame.getDirectoryRequest(), this::send);
      case UNKNOWN_SERVER -> effects.add(new Effect.NotFound(frame.getUnknownServer()));
      case RENEWAL_REQUEST -> closeIf(incoming.renew(frame.getRenewalRequest()));
      case BYE -> leave(CloseReason.DEVICE_LEFT);
      // A kind from a newer protocol; ignored, so that both sides can be extended.
      case KIND_NOT_SET -> {}
      default ->
          close(
              CloseReason.PROTOCOL_ERROR,
              "frame: " + frame.getKindCase() + " (expected a device's frame)");
    }
    pump();
    return take();
  }

  private void hello(Hello hello, long nowNanos) {
    FrameCheck.Objection objection =
        FrameCheck.objection(hello, certifiedId, generation, admission, numbers);
    if (objection != null) {
      close(objection.reason(), objection.text());
      return;
    }
    int server = hello.getServerNumber();
    delivers = numbers.delivers(server);
    actionsHash = hello.getActionsHash();
    push = hello.getDelivery() == Delivery.DELIVERY_PUSH;
    phase = Phase.GREETING;
    phaseSinceNanos = nowNanos;
    effects.add(new Effect.Admit(server, hello.getWakeId(), push));
    directory.deviceHolds(hello.getDirectoryVersion());
    Effect.Holding holding = new Effect.Holding(hello.getKeyId(), hello.getRootsHash());
    effects.add(new Effect.ReadDevice(delivers ? actionsHash : ByteString.EMPTY, holding));
    if (push && delivers) {
      ask(window.look());
    }
  }

  private void inquiry(long wakeId) {
    effects.add(new Effect.Inquired(wakeId));
    if (!delivers) {
      send(Frames.inquiryAnswer(0));
      return;
    }
    ask(window.inquire());
  }

  private void leave(CloseReason reason) {
    phase = Phase.CLOSED;
    incoming.clear();
    directory.clear();
    effects.add(new Effect.Close(reason));
  }

  // ---- from the store

  /** The device's record was read. */
  List<Effect> onDeviceRead(Greeting greeting, long nowNanos) {
    if (phase != Phase.GREETING) {
      return List.of();
    }
    phase = Phase.OPEN;
    linger = greeting.lingers();
    lastActivityNanos = nowNanos;
    directory.begin();
    send(
        Frames.welcome(
            greeting,
            linger ? (int) config.linger().toMillis() : 0,
            delivers && greeting.actionsWanted(),
            directory.version()));
    heldBack.forEach(this::send);
    heldBack.clear();
    pump();
    return take();
  }

  /**
   * The store handed commands over.
   *
   * @param commands in order of acceptance
   * @param cancellations IDs of commands that the device has from an earlier session
   */
  List<Effect> onHandedOver(List<Command> commands, List<String> cancellations, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    if (!deviceOwes()) {
      lastHeardNanos = nowNanos;
    }
    for (String commandId : cancellations) {
      send(Frames.cancellation(commandId));
    }
    CommandWindow.Portion portion = window.choose(commands);
    if (portion.answersInquiry()) {
      send(Frames.inquiryAnswer(portion.commands().size()));
    }
    for (Command command : portion.commands()) {
      lastActivityNanos = nowNanos;
      send(Frames.command(command));
      if (command.getHasBody()) {
        outgoing.add(command);
      }
    }
    ask(window.lookAgain());
    pump();
    return take();
  }

  /** A part of the directory was written, as {@link Effect.SendPart} asked for it. */
  List<Effect> onPartWritten(long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    lastHeardNanos = nowNanos;
    directory.written();
    pump();
    return take();
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
   * An update is durable; or never will be, because the store knows no such command of this device:
   * then both are true if the update said so, and the device forgets the command.
   *
   * @param reportedEnd whether the update said that the command ended
   * @param ended whether it has ended in the store, by this update or before
   */
  List<Effect> onStored(String commandId, boolean reportedEnd, boolean ended, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    incoming.done();
    if (reportedEnd) {
      send(Frames.receipt(commandId));
    }
    if (ended) {
      end(commandId);
    } else {
      window.taken(commandId);
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
    incoming.done();
    return take();
  }

  /** The device's new identity was made, or refused. */
  List<Effect> onRenewed(Renewal renewal, long nowNanos) {
    if (phase == Phase.CLOSED) {
      return List.of();
    }
    send(Frames.renewal(renewal));
    return onActionsKept(nowNanos);
  }

  /** The store failed; the device will repeat in its next session what it has no Receipt for. */
  List<Effect> onStoreFailed() {
    return onClose(CloseReason.SERVER_FAILED, "store: failed (the device tries again later)");
  }

  // ---- from the rest of the server

  /** A command may be deliverable that was not before. */
  List<Effect> onCommandsWaiting(long nowNanos) {
    if (!takesPushes()) {
      return List.of();
    }
    lastActivityNanos = nowNanos;
    ask(window.look());
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

  /** The connection is gone. */
  List<Effect> onConnectionLost() {
    if (phase != Phase.CLOSED) {
      leave(CloseReason.CONNECTION_LOST);
    }
    return take();
  }

  // ---- time

  /** When {@link #onTime} has something to do; empty while only running commands are waited for. */
  OptionalLong deadlineNanos() {
    return switch (phase) {
      case AWAITING_HELLO -> OptionalLong.of(phaseSinceNanos + config.hello().toNanos());
      case GREETING -> OptionalLong.of(phaseSinceNanos + config.stall().toNanos());
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
    return window.idle() && incoming.isIdle() && outgoing.isEmpty() && directory.isEmpty();
  }

  private boolean deviceOwes() {
    return incoming.isReceiving() || !outgoing.isEmpty() || !directory.isEmpty() || window.owed();
  }

  private void ask(boolean now) {
    if (now) {
      effects.add(new Effect.HandOver(window.inFlight(), window.asked()));
    }
  }

  private void end(String commandId) {
    outgoing.drop(commandId);
    ask(window.ended(commandId, push));
  }

  /** Goes on with the first body and with the directory, if the connection takes more. */
  private void pump() {
    if (phase != Phase.OPEN) {
      return;
    }
    Effect.ReadBody next = outgoing.next();
    if (next != null) {
      effects.add(next);
    }
    directory.next();
  }

  private void send(Frame frame) {
    if (phase == Phase.GREETING) {
      heldBack.add(frame);
    } else {
      effects.add(new Effect.Send(frame));
    }
  }

  private void closeIf(FrameCheck.@Nullable Objection objection) {
    if (objection != null) {
      close(objection.reason(), objection.text());
    }
  }

  private void close(CloseReason reason, String text) {
    phase = Phase.CLOSED;
    heldBack.clear();
    incoming.clear();
    outgoing.clear();
    directory.clear();
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
