package dev.beckon.device.session;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandEffect;
import dev.beckon.device.command.CommandKey;
import dev.beckon.device.command.CommandLogic;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Inquiry;
import dev.beckon.protocol.session.UnknownServer;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.Welcome;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One session with one server, from Hello to Bye.
 *
 * <p>Knows no clock, socket or thread. The caller passes frames and time in, does what the effects
 * say, and calls {@link #onTime} about once a second. Not thread-safe; owned by the thread that
 * handles commands.
 */
public final class SessionLogic {
  /** A server that lets its Welcome or its answer wait longer is taken for gone. */
  private static final long ANSWER_NANOS = Duration.ofSeconds(10).toNanos();

  /**
   * A wake came while the session was open: the server must show within this time that it knows
   * this session, else it has lost it and a new one is dialled. Longer than a round trip with one
   * loss; every second of it is waiting for a command.
   */
  private static final long PROOF_NANOS = Duration.ofSeconds(3).toNanos();

  /** The server closes an idle session after its linger; the device so much later. */
  private static final long IDLE_SLACK_NANOS = Duration.ofSeconds(30).toNanos();

  /** A server hands so many commands over that have not ended. */
  private static final int MAX_IN_FLIGHT = 16;

  /** Far more than a server needs that confirms ends; each costs memory of the device. */
  private static final int MAX_REMEMBERED = 256;

  private static final int RENDEZVOUS_SERVER = 0;
  private static final int MAX_SERVER = 65_535;

  /** Servers that a Welcome names as waiting; more are left to the next one. */
  private static final int MAX_WAITING_SERVERS = 256;

  /** Crockford base 32, as the protocol says; the ID also names files. */
  private static final Pattern COMMAND_ID = Pattern.compile("[0-9A-HJKMNP-TV-Z]{26}");

  /**
   * What every session needs to know, whichever server it is with.
   *
   * @param actionsHash SHA-256 of the serialized {@code actions}
   * @param maxBodyBytes longest body of a command that is accepted
   * @param held asked at each session's begin; null where identities are not renewed
   */
  public record Settings(
      String deviceId,
      long bootId,
      Delivery delivery,
      Actions actions,
      ByteString actionsHash,
      long maxBodyBytes,
      @Nullable Supplier<Held> held) {}

  /** Keeps the bodies of commands. */
  @FunctionalInterface
  public interface Bodies {
    /**
     * Appends to the command's body; at offset 0 begins it anew.
     *
     * @throws IOException if there is no room for it
     */
    void append(CommandKey key, long offset, ByteString content) throws IOException;
  }

  private enum State {
    NEW,
    GREETED,
    OPEN,
    CLOSED
  }

  private final Settings settings;
  private final int server;
  private final CommandLogic commands;
  private final DirectoryExchange directory;
  private final IncomingBodies bodies;
  private final Set<String> noted = new HashSet<>(); // commands whose Update has told the note
  private final RenewalExchange renewal;
  private State state = State.NEW;
  private long wakeId;
  private long pullWakeId;
  private String note = "";
  private boolean welcomed;
  private boolean wakeUnserved;
  private boolean firstWakeUnserved;
  private boolean orderly; // the server said Bye and had no reason to complain
  private boolean inquiryUnanswered;
  private int announced; // commands that an answer has announced and that have not come
  private boolean actionsSent;
  private boolean refused;
  private long lingerNanos;
  private long lastFrameNanos;
  private long answerDueNanos; // meaningful while GREETED or an inquiry is unanswered
  private long proofDueNanos; // meaningful while a wake is unserved

  /**
   * @param server number of the server that is dialled
   * @param heldVersion of the directory that the device has; 0 if none
   * @param wakeId the wake that this session follows; 0 if none
   */
  public SessionLogic(
      Settings settings,
      int server,
      CommandLogic commands,
      Bodies bodies,
      LongSupplier heldVersion,
      long wakeId) {
    this.settings = settings;
    this.server = server;
    this.commands = commands;
    this.bodies = new IncomingBodies(server, bodies);
    this.directory = new DirectoryExchange(heldVersion, ANSWER_NANOS);
    this.renewal = new RenewalExchange(server == RENDEZVOUS_SERVER ? settings.held() : null);
    this.wakeId = wakeId;
  }

  /**
   * The connection stands: what to say first.
   *
   * @param newNote what an operator should know about how the server was found, told with the first
   *     Update of each command; empty if nothing
   */
  public List<SessionEffect> onConnected(String newNote, long nowNanos) {
    note = newNote;
    state = State.GREETED;
    lastFrameNanos = nowNanos;
    answerDueNanos = nowNanos + ANSWER_NANOS;
    firstWakeUnserved = wakeId != 0;
    Hello.Builder hello =
        Hello.newBuilder()
            .setDeviceId(settings.deviceId())
            .setBootId(settings.bootId())
            .setDelivery(settings.delivery())
            .setWakeId(wakeId != 0 ? wakeId : pullWakeId)
            .setActionsHash(settings.actionsHash())
            .setDirectoryVersion((int) directory.heldVersion())
            .setServerNumber(server);
    renewal.onHello(hello);
    return List.of(new SessionEffect.Send(Frame.newBuilder().setHello(hello).build()));
  }

  /** A wake was accepted while this session was being opened, or is open. */
  public List<SessionEffect> onWake(long newWakeId, long nowNanos) {
    List<SessionEffect> effects = new ArrayList<>();
    wakeId = newWakeId;
    if (state == State.NEW) {
      return effects; // Hello will name it
    }
    wakeUnserved = true;
    proofDueNanos = nowNanos + PROOF_NANOS;
    if (state == State.OPEN) {
      inquire(effects, nowNanos);
    }
    return effects;
  }

  /**
   * The directory is wanted of this server.
   *
   * @param newPullWakeId the wake that says so; 0 if none did
   */
  public List<SessionEffect> onPull(long newPullWakeId, long nowNanos) {
    List<SessionEffect> effects = new ArrayList<>();
    if (state == State.OPEN) {
      directory.request(effects, nowNanos);
    } else {
      pullWakeId = newPullWakeId;
      directory.want();
    }
    return effects;
  }

  /** The server shall learn this, if the session is open. */
  public List<SessionEffect> onUnknownServer(UnknownServer unknown) {
    return state == State.OPEN
        ? List.of(new SessionEffect.Send(Frame.newBuilder().setUnknownServer(unknown).build()))
        : List.of();
  }

  /** The server sent a frame. */
  public List<SessionEffect> onFrame(Frame frame, long nowNanos, long wallMillis) {
    List<SessionEffect> effects = new ArrayList<>();
    if (state == State.CLOSED) {
      return effects;
    }
    lastFrameNanos = nowNanos;
    if (state == State.GREETED) {
      switch (frame.getKindCase()) {
        case WELCOME -> onWelcome(effects, frame.getWelcome(), nowNanos, wallMillis);
        case BYE -> onBye(effects, frame.getBye());
        case KIND_NOT_SET -> {} // of a later version of the protocol
        default -> fail(effects, "a frame before Welcome");
      }
      return effects;
    }
    if (actionsSent) {
      actionsSent = false; // frames are handled in order: the server has read them
      effects.add(new SessionEffect.ActionsConfirmed());
    }
    switch (frame.getKindCase()) {
      case INQUIRY_ANSWER -> {
        inquiryUnanswered = false;
        announced += Math.max(0, frame.getInquiryAnswer().getCommands());
        onServed();
      }
      case COMMAND -> onCommand(effects, frame.getCommand(), wallMillis);
      case BODY_CHUNK -> onChunk(effects, frame.getBodyChunk(), wallMillis);
      case DIRECTORY_PART -> {
        try {
          directory.onPart(effects, frame.getDirectoryPart(), nowNanos);
        } catch (IllegalArgumentException e) {
          fail(effects, String.valueOf(e.getMessage()));
        }
      }
      case RENEWAL -> renewal.onRenewal(effects, frame.getRenewal());
      case RECEIPT ->
          addCommandEffects(effects, commands.onReceipt(key(frame.getReceipt().getCommandId())));
      case CANCELLATION -> {
        String id = frame.getCancellation().getCommandId();
        if (isCommandId(effects, id) && hasRoom(effects, id)) {
          bodies.drop(id);
          addCommandEffects(effects, commands.onCancellation(key(id), wallMillis));
        }
      }
      case BYE -> onBye(effects, frame.getBye());
      case WELCOME -> fail(effects, "a second Welcome");
      default -> {} // unknown kinds are ignored, so that the protocol can be extended
    }
    return effects;
  }

  /** Passes on what happened to commands, to this server and to whoever runs them. */
  public List<SessionEffect> onCommandEffects(List<CommandEffect> commandEffects) {
    List<SessionEffect> effects = new ArrayList<>();
    addCommandEffects(effects, commandEffects);
    return effects;
  }

  /** Does what is due. */
  public List<SessionEffect> onTime(long nowNanos) {
    List<SessionEffect> effects = new ArrayList<>();
    switch (state) {
      case GREETED -> {
        if (answerDueNanos - nowNanos <= 0) {
          close(effects, ByeReason.TOO_SLOW, "no Welcome within 10 s");
        }
      }
      case OPEN -> {
        boolean full =
            commands.openCount(server) >= MAX_IN_FLIGHT; // then the server holds answers back
        if (wakeUnserved && !full && proofDueNanos - nowNanos <= 0) {
          close(effects, ByeReason.IDLE, "the server seems to have lost this session");
        } else if (inquiryUnanswered && !full && answerDueNanos - nowNanos <= 0) {
          close(effects, ByeReason.TOO_SLOW, "no answer to the inquiry within 10 s");
        } else if (directory.isLate(nowNanos)) {
          close(effects, ByeReason.TOO_SLOW, "no directory within 10 s");
        } else if (!commands.isBusy(server)
            && bodies.isEmpty()
            && lastFrameNanos + lingerNanos + IDLE_SLACK_NANOS - nowNanos <= 0) {
          orderly = true;
          close(effects, ByeReason.IDLE, "");
        }
      }
      case NEW, CLOSED -> {}
    }
    return effects;
  }

  /** The device is about to stop. */
  public List<SessionEffect> onShutdown() {
    List<SessionEffect> effects = new ArrayList<>();
    orderly = true;
    if (state == State.GREETED || state == State.OPEN) {
      close(effects, ByeReason.SHUTTING_DOWN, "");
    }
    return effects;
  }

  /** The number of the server that this session is with. */
  public int server() {
    return server;
  }

  /** The newest wake that this session follows; 0 if none. */
  public long wakeId() {
    return wakeId;
  }

  /** Whether the server has welcomed the device. */
  public boolean wasWelcomed() {
    return welcomed;
  }

  /** Whether the server said that it will not have this device. */
  public boolean isRefused() {
    return refused;
  }

  public RenewalExchange renewal() {
    return renewal;
  }

  /** Whether a command's body is on its way. */
  public boolean isReceiving() {
    return !bodies.isEmpty();
  }

  /** The commands whose bodies are kept in part: at the session's end they are of no use. */
  public List<CommandKey> unfinishedBodies() {
    return bodies.unfinished();
  }

  /** Whether this session is open, neither being opened nor closed. */
  public boolean isOpen() {
    return state == State.OPEN;
  }

  /**
   * Whether this session follows a wake that the server has not served in it, or was to bring a
   * directory that it has not brought.
   */
  public boolean isWakeUnserved() {
    return wakeUnserved || (firstWakeUnserved && !orderly) || directory.isWanted();
  }

  private void onWelcome(
      List<SessionEffect> effects, Welcome welcome, long nowNanos, long wallMillis) {
    state = State.OPEN;
    welcomed = true;
    lingerNanos = Duration.ofMillis(welcome.getLingerMillis()).toNanos();
    effects.add(new SessionEffect.Welcomed(welcome.getServerTimeMillis()));
    if (welcome.getActionsWanted()) {
      actionsSent = true;
      effects.add(
          new SessionEffect.Send(Frame.newBuilder().setActions(settings.actions()).build()));
    } else {
      effects.add(new SessionEffect.ActionsConfirmed());
    }
    inquire(effects, nowNanos);
    addCommandEffects(effects, commands.onSession(server, wallMillis));
    renewal.onWelcome(effects, welcome);
    directory.onWelcome(effects, Integer.toUnsignedLong(welcome.getDirectoryVersion()), nowNanos);
    if (server == RENDEZVOUS_SERVER) {
      welcome.getWaitingServersList().stream()
          .limit(MAX_WAITING_SERVERS)
          .filter(waiting -> waiting.getNumber() > 0 && waiting.getNumber() <= MAX_SERVER)
          .forEach(
              waiting ->
                  effects.add(
                      new SessionEffect.Waiting(
                          waiting.getNumber(), waiting.getWakeId(), waiting.getDeadlineMillis())));
    }
  }

  private void inquire(List<SessionEffect> effects, long nowNanos) {
    if (settings.delivery() == Delivery.DELIVERY_INQUIRY) {
      inquiryUnanswered = true;
      answerDueNanos = nowNanos + ANSWER_NANOS;
      Inquiry inquiry = Inquiry.newBuilder().setWakeId(wakeId).build();
      effects.add(new SessionEffect.Send(Frame.newBuilder().setInquiry(inquiry).build()));
    }
  }

  private void onCommand(List<SessionEffect> effects, Command command, long wallMillis) {
    onServed();
    String id = command.getCommandId();
    if (!isCommandId(effects, id) || !hasRoom(effects, id)) {
      return;
    }
    if (announced > 0) {
      announced--; // of the answer before, if it has asked again meanwhile
    } else if (settings.delivery() == Delivery.DELIVERY_INQUIRY && inquiryUnanswered) {
      fail(effects, "a command before the answer to the inquiry");
      return;
    }
    if (!command.getHasBody()) {
      addCommandEffects(effects, commands.onCommand(server, command, wallMillis));
      return;
    }
    if (command.getBodyBytes() > settings.maxBodyBytes() || command.getBodyBytes() < 0) {
      fail(effects, "a body of " + command.getBodyBytes() + " bytes");
      return;
    }
    boolean wanted = !commands.isKnown(key(id)) && commands.refusal(command, wallMillis) == null;
    bodies.begin(command, wanted);
    if (!wanted) {
      addCommandEffects(
          effects, commands.onCommand(server, command, wallMillis)); // tells why, at once
    }
  }

  private void onChunk(List<SessionEffect> effects, BodyChunk chunk, long wallMillis) {
    IncomingBodies.Arrival arrival = bodies.onChunk(chunk);
    if (arrival == null) {
      fail(effects, "a body chunk of no command, or out of place");
    } else if (arrival.unstorable()) {
      addCommandEffects(effects, commands.onUnstorable(server, arrival.command(), wallMillis));
    } else if (arrival.whole()) {
      addCommandEffects(effects, commands.onCommand(server, arrival.command(), wallMillis));
    }
  }

  private void onServed() {
    wakeUnserved = false;
    firstWakeUnserved = false;
  }

  private void onBye(List<SessionEffect> effects, Bye bye) {
    refused = bye.getReason() == ByeReason.REVOKED || bye.getReason() == ByeReason.DEVICE_MISMATCH;
    orderly = bye.getReason() == ByeReason.IDLE || bye.getReason() == ByeReason.REPLACED;
    state = State.CLOSED;
    String reason = bye.getReason().name().toLowerCase(Locale.ROOT).replace('_', '-');
    effects.add(new SessionEffect.Close(reason));
  }

  private void addCommandEffects(List<SessionEffect> effects, List<CommandEffect> more) {
    for (CommandEffect effect : more) {
      effects.add(new SessionEffect.OfCommand(effect));
      if (effect instanceof CommandEffect.Report report
          && report.key().server() == server
          && state == State.OPEN) {
        Update update = withNote(report.update());
        effects.add(new SessionEffect.Send(Frame.newBuilder().setUpdate(update).build()));
        if (update.getHasBody()) {
          effects.add(new SessionEffect.SendBody(report.key()));
        }
      }
    }
  }

  private Update withNote(Update update) {
    return !note.isEmpty() && noted.add(update.getCommandId())
        ? update.toBuilder().setNote(note).build()
        : update;
  }

  private CommandKey key(String commandId) {
    return new CommandKey(server, commandId);
  }

  private boolean isCommandId(List<SessionEffect> effects, String id) {
    boolean valid = COMMAND_ID.matcher(id).matches();
    if (!valid) {
      fail(effects, "a command ID that is none");
    }
    return valid;
  }

  private boolean hasRoom(List<SessionEffect> effects, String id) {
    boolean room =
        commands.isRemembered(key(id))
            || commands.rememberedCount(server) + bodies.size() < MAX_REMEMBERED;
    if (!room) {
      fail(effects, "more than " + MAX_REMEMBERED + " commands without a receipt");
    }
    return room;
  }

  private void fail(List<SessionEffect> effects, String text) {
    close(effects, ByeReason.PROTOCOL_ERROR, text);
  }

  private void close(List<SessionEffect> effects, ByeReason reason, String text) {
    state = State.CLOSED;
    Bye bye = Bye.newBuilder().setReason(reason).setText(text).build();
    effects.add(new SessionEffect.Send(Frame.newBuilder().setBye(bye).build()));
    effects.add(new SessionEffect.Close(reason.name().toLowerCase(Locale.ROOT).replace('_', '-')));
  }
}
