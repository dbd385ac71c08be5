package dev.beckon.device.command;

import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The life of each command on the device, over all servers, sessions and restarts.
 *
 * <p>A command stands in the journal before it is acknowledged, and as started before it runs; it
 * is forgotten when the server has confirmed its end. So it runs at most once. One command at a
 * time runs per action, whichever servers gave them, in the order of arrival; different actions run
 * side by side. A server can see, cancel and confirm its own commands only.
 *
 * <p>Knows no clock, thread or connection; the journal is its only side effect. Not thread-safe;
 * owned by the thread that handles commands.
 */
public final class CommandLogic {
  /** Room for the other fields of an Update in a frame of 64 KiB. */
  private static final int MAX_UPDATE_BYTES = 60_000;

  /** Of a reason or a progress text; what is longer belongs into a result or a body. */
  private static final int MAX_TEXT_CHARS = 4_000;

  /** Value of a result that says, for programs, how the command failed. */
  private static final String FAILURE = "failure";

  private static final class Life {
    final int server;
    final long deadlineMillis;

    /** Null after a restart, until the server hands the command over again. */
    @Nullable Command command;

    Update update;
    boolean journaled;
    boolean acknowledged;

    /** Empty if it is known from the journal only. */
    String action = "";

    Life(int server, long deadlineMillis, Update update, boolean journaled) {
      this.server = server;
      this.deadlineMillis = deadlineMillis;
      this.update = update;
      this.journaled = journaled;
    }

    CommandKey key() {
      return new CommandKey(server, update.getCommandId());
    }

    boolean ended() {
      return isEnd(update.getState());
    }
  }

  private final String deviceId;
  private final Journal journal;
  private final ArgumentCheck check;
  private final Map<CommandKey, Life> lives = new LinkedHashMap<>();
  private final Map<String, Queue<Life>> queues = new HashMap<>(); // by action; the head runs

  /**
   * Takes up what the journal remembers: what was started then ends as UNKNOWN.
   *
   * @param wallMillis the device's clock, unix time
   */
  public CommandLogic(String deviceId, Journal journal, ArgumentCheck check, long wallMillis) {
    this.deviceId = deviceId;
    this.journal = journal;
    this.check = check;
    for (Journal.Entry entry : journal.entries()) {
      Life life = new Life(entry.server(), entry.deadlineMillis(), entry.update(), true);
      lives.put(entry.key(), life);
      if (entry.update().getState() == State.RUNNING) {
        end(life, State.UNKNOWN, "the device restarted while the command ran", wallMillis);
      }
    }
  }

  /**
   * Whether the command needs nothing of the server but a receipt; its body is not wanted again.
   */
  public boolean isKnown(CommandKey key) {
    Life life = lives.get(key);
    return life != null && (life.command != null || life.ended());
  }

  /**
   * Why the command will not run, null if it may. Asked before its body is received.
   *
   * @param wallMillis the device's clock, unix time
   */
  public @Nullable Update refusal(Command command, long wallMillis) {
    if (!command.getDeviceId().equals(deviceId)) {
      return update(
          command.getCommandId(),
          State.REJECTED,
          "device ID: " + command.getDeviceId() + " (expected " + deviceId + ")",
          wallMillis);
    }
    if (command.getDeadlineMillis() < wallMillis) {
      return update(command.getCommandId(), State.EXPIRED, "it came too late", wallMillis);
    }
    String reason = check.refusal(command);
    return reason == null
        ? null
        : update(command.getCommandId(), State.REJECTED, reason, wallMillis).toBuilder()
            .putResult(FAILURE, "not-allowed")
            .build();
  }

  /** The server handed a command over, whole. */
  public List<CommandEffect> onCommand(int server, Command command, long wallMillis) {
    List<CommandEffect> effects = new ArrayList<>();
    String id = command.getCommandId();
    CommandKey key = new CommandKey(server, id);
    Life known = lives.get(key);
    if (known != null && isKnown(key)) {
      report(effects, known);
      return effects;
    }
    Update refusal = refusal(command, wallMillis);
    if (refusal != null) {
      if (known != null) {
        known.update = refusal;
        write(known);
        report(effects, known);
      } else if (command.getDeviceId().equals(deviceId)) {
        refuse(effects, server, command.getAction(), refusal);
      } else {
        effects.add(new CommandEffect.Report(key, refusal)); // not ours: nothing to remember
      }
      return effects;
    }
    Life life =
        known != null
            ? known
            : new Life(
                server,
                command.getDeadlineMillis(),
                update(id, State.DELIVERED, "", wallMillis),
                false);
    Queue<Life> queue = queues.computeIfAbsent(command.getAction(), action -> new ArrayDeque<>());
    boolean starts = queue.isEmpty(); // then one write says both that it is here and that it runs
    if (!starts && !life.journaled && !write(life)) {
      refuse(
          effects,
          server,
          command.getAction(),
          update(id, State.REJECTED, JOURNAL_REASON, wallMillis));
      return effects;
    }
    life.command = command;
    life.action = command.getAction();
    lives.put(key, life);
    queue.add(life);
    if (starts) {
      startNext(effects, queue, wallMillis);
    } else {
      acknowledge(effects, life, life.update);
    }
    return effects;
  }

  /** The command's body could not be stored. */
  public List<CommandEffect> onUnstorable(int server, Command command, long wallMillis) {
    List<CommandEffect> effects = new ArrayList<>();
    Update refusal =
        update(
            command.getCommandId(),
            State.REJECTED,
            "body: cannot be stored (expected room and permission in the device's data folder)",
            wallMillis);
    CommandKey key = new CommandKey(server, command.getCommandId());
    Life known = lives.get(key);
    if (known == null) {
      refuse(effects, server, command.getAction(), refusal);
      return effects;
    }
    if (!isKnown(key)) { // from before a restart: the journal must hear of it too
      known.update = refusal;
      write(known);
    }
    report(effects, known);
    return effects;
  }

  /** A running command tells how far it is. */
  public List<CommandEffect> onProgress(CommandKey key, int percent, String text, long wallMillis) {
    Life life = lives.get(key);
    if (life == null || life.update.getState() != State.RUNNING) {
      return List.of();
    }
    Update progress =
        life.update.toBuilder()
            .setDeviceTimeMillis(wallMillis)
            .setProgressPercent(Math.max(0, Math.min(100, percent)))
            .setProgressText(shortened(text))
            .build();
    return List.of(new CommandEffect.Report(key, progress));
  }

  /**
   * A command that was run has ended.
   *
   * @param state SUCCEEDED, FAILED or UNKNOWN
   * @param reason why, if it did not succeed
   * @param bodyBytes length of the result's body, which is kept elsewhere; 0 = none
   */
  public List<CommandEffect> onEnded(
      CommandKey key,
      State state,
      String reason,
      Map<String, String> result,
      long bodyBytes,
      long wallMillis) {
    String commandId = key.commandId();
    Life life = lives.get(key);
    if (life == null || life.command == null || life.update.getState() != State.RUNNING) {
      return List.of();
    }
    Update ended =
        update(commandId, state, reason, wallMillis).toBuilder()
            .putAllResult(result)
            .setHasBody(bodyBytes > 0)
            .setBodyBytes(bodyBytes)
            .build();
    if (ended.getSerializedSize() > MAX_UPDATE_BYTES) {
      ended =
          update(
              commandId,
              State.FAILED,
              "result: "
                  + ended.getSerializedSize()
                  + " bytes (expected at most "
                  + MAX_UPDATE_BYTES
                  + "; return it as a body)",
              wallMillis);
    }
    life.update = ended;
    write(life); // unwritten it is still reported; after a restart it would be UNKNOWN
    List<CommandEffect> effects = new ArrayList<>();
    report(effects, life);
    leaveQueue(effects, life, wallMillis);
    return effects;
  }

  /** The server asks not to start a command of its own. */
  public List<CommandEffect> onCancellation(CommandKey key, long wallMillis) {
    List<CommandEffect> effects = new ArrayList<>();
    Life life = lives.get(key);
    if (life == null) {
      // It may be on its way, behind its body: remember that it must not start.
      Update delivered = update(key.commandId(), State.DELIVERED, "", wallMillis);
      life = new Life(key.server(), 0, delivered, false);
      lives.put(key, life);
    }
    if (life.update.getState() == State.DELIVERED) {
      end(life, State.CANCELLED, "cancelled before it started", wallMillis);
      leaveQueue(effects, life, wallMillis);
    }
    report(effects, life);
    return effects;
  }

  /** The server has the end of the command for good. */
  public List<CommandEffect> onReceipt(CommandKey key) {
    Life life = lives.get(key);
    if (life == null || !life.ended()) {
      return List.of();
    }
    lives.remove(key);
    if (life.journaled) {
      try {
        journal.forget(key);
      } catch (IOException e) {
        // Then its end is reported once more after a restart, which changes nothing.
      }
    }
    return List.of(new CommandEffect.Discard(key));
  }

  /** What to tell the server at the beginning of a session. */
  public List<CommandEffect> onSession(int server, long wallMillis) {
    List<CommandEffect> effects = new ArrayList<>(onTime(wallMillis));
    effects.removeIf( // all are told below
        effect -> effect instanceof CommandEffect.Report && effect.key().server() == server);
    lives.values().stream()
        .filter(life -> life.server == server)
        .forEach(life -> report(effects, life));
    return effects;
  }

  /** Ends what has waited past its deadline. */
  public List<CommandEffect> onTime(long wallMillis) {
    List<CommandEffect> effects = new ArrayList<>();
    for (Life life : List.copyOf(lives.values())) {
      if (life.update.getState() == State.DELIVERED && life.deadlineMillis < wallMillis) {
        end(life, State.EXPIRED, "the deadline passed before it could start", wallMillis);
        report(effects, life);
        leaveQueue(effects, life, wallMillis);
      }
    }
    return effects;
  }

  /** The command's action; empty if the command is not known, or only from the journal. */
  public String actionOf(CommandKey key) {
    Life life = lives.get(key);
    return life == null ? "" : life.action;
  }

  /** Whether the command is remembered, be it from the journal only. */
  public boolean isRemembered(CommandKey key) {
    return lives.containsKey(key);
  }

  /** How many commands of the server are remembered: all that it has not confirmed the end of. */
  public int rememberedCount(int server) {
    return (int) lives.values().stream().filter(life -> life.server == server).count();
  }

  /** Whether nothing is remembered, such as from before a restart. */
  public boolean isEmpty() {
    return lives.isEmpty();
  }

  /** The servers whose commands are remembered. */
  public Set<Integer> servers() {
    return lives.keySet().stream().map(CommandKey::server).collect(Collectors.toSet());
  }

  /** How many commands of the server wait or run here. */
  public int openCount(int server) {
    return (int)
        queues.values().stream()
            .flatMap(Queue::stream)
            .filter(life -> life.server == server)
            .count();
  }

  /** Whether a command of any server waits or runs here. */
  public boolean isBusy() {
    return queues.values().stream().anyMatch(queue -> !queue.isEmpty());
  }

  /** Whether a command of the server waits or runs here. */
  public boolean isBusy(int server) {
    return openCount(server) > 0;
  }

  /** Whether a command of the server waits or runs, or an end has no receipt of it yet. */
  public boolean isUnfinished(int server) {
    return isBusy(server)
        || lives.values().stream().anyMatch(life -> life.server == server && life.ended());
  }

  private void startNext(List<CommandEffect> effects, Queue<Life> queue, long wallMillis) {
    while (true) {
      Life life = queue.peek();
      if (life == null) {
        return;
      }
      Command command = life.command;
      if (command == null || life.ended()) {
        queue.remove();
        continue;
      }
      if (life.deadlineMillis < wallMillis) {
        end(life, State.EXPIRED, "the deadline passed before it could start", wallMillis);
      } else {
        Update delivered = life.update;
        life.update = update(command.getCommandId(), State.RUNNING, "", wallMillis);
        if (write(life)) {
          acknowledge(effects, life, delivered);
          report(effects, life);
          effects.add(new CommandEffect.Run(life.key(), command));
          return;
        }
        life.update = delivered;
        end(life, State.REJECTED, JOURNAL_REASON, wallMillis);
      }
      report(effects, life);
      queue.remove();
    }
  }

  private void leaveQueue(List<CommandEffect> effects, Life life, long wallMillis) {
    Command command = life.command;
    Queue<Life> queue = command == null ? null : queues.get(command.getAction());
    if (queue == null) {
      return;
    }
    boolean head = queue.peek() == life;
    queue.remove(life);
    if (head) {
      startNext(effects, queue, wallMillis);
    }
    if (queue.isEmpty() && command != null) {
      queues.remove(command.getAction());
    }
  }

  /** Says once that the command is in the journal. */
  private static void acknowledge(List<CommandEffect> effects, Life life, Update delivered) {
    if (!life.acknowledged) {
      life.acknowledged = true;
      effects.add(new CommandEffect.Report(life.key(), delivered));
    }
  }

  /** Not run, and never in the journal: were it handed over again, it would be judged again. */
  private void refuse(List<CommandEffect> effects, int server, String action, Update refusal) {
    Life life = new Life(server, 0, refusal, false);
    life.action = action;
    lives.put(life.key(), life);
    report(effects, life);
  }

  private void end(Life life, State state, String reason, long wallMillis) {
    life.update = update(life.update.getCommandId(), state, reason, wallMillis);
    write(life);
  }

  private boolean write(Life life) {
    try {
      journal.write(new Journal.Entry(life.server, life.deadlineMillis, life.update));
      life.journaled = true;
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void report(List<CommandEffect> effects, Life life) {
    effects.add(new CommandEffect.Report(life.key(), life.update));
  }

  private static Update update(String commandId, State state, String reason, long wallMillis) {
    return Update.newBuilder()
        .setCommandId(commandId)
        .setState(state)
        .setReason(shortened(reason))
        .setDeviceTimeMillis(wallMillis)
        .build();
  }

  private static String shortened(String text) {
    return text.length() <= MAX_TEXT_CHARS ? text : text.substring(0, MAX_TEXT_CHARS) + "…";
  }

  private static boolean isEnd(State state) {
    return switch (state) {
      case SUCCEEDED, FAILED, REJECTED, EXPIRED, CANCELLED, UNKNOWN -> true;
      default -> false;
    };
  }

  private static final String JOURNAL_REASON =
      "journal: cannot be written (expected room and permission in the device's data folder)";
}
