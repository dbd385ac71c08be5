package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandEffect;
import dev.beckon.device.command.CommandKey;
import dev.beckon.device.command.CommandLogic;
import dev.beckon.device.directory.DirectoryVerdict;
import dev.beckon.device.session.SessionEffect;
import dev.beckon.device.session.SessionLogic;
import dev.beckon.device.wake.DialLogic.Ending;
import dev.beckon.device.wake.Dials;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.UnknownServer;
import dev.beckon.protocol.session.Update;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The thread that owns commands and sessions: does what {@link SessionLogic} and {@link
 * CommandLogic} say. At most one session per server is open at a time.
 */
final class SessionLoop implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.beckon.device");
  private static final long TICK_MILLIS = 500;
  private static final long CLOSE_MILLIS = 2_000;
  private static final int RENDEZVOUS_SERVER = 0;

  /** A server has one wake outstanding per device; more unknown servers than this are no use. */
  private static final int MAX_UNTOLD = 256;

  private final ScheduledThreadPoolExecutor thread;
  private final SessionLogic.Settings settings;
  private final CommandLogic commands;
  private final ActionRunner actions;
  private final BodyFolder bodies;
  private final ConfirmedActions confirmed;
  private final IdentityKeeper identities;
  private final Diallers diallers;
  private final ServerTable servers;
  private final HostAddresses hosts;
  private final DeviceClock clock;
  private final DeviceListener listener;
  private final Dialling dialling;
  private final Map<CommandKey, State> told = new HashMap<>();

  /** By server number; changed on this loop's thread only. */
  private final Map<Integer, Session> sessions = new ConcurrentHashMap<>();

  /** What the rendezvous server is still to be told, by the number of the unknown server. */
  private final Map<Integer, UnknownServer> untold = new LinkedHashMap<>();

  private final NewestProgress progress = new NewestProgress(this::onThread, this::onProgress);
  private boolean ticking;

  private final class Session implements Connection.Receiver {
    final SessionLogic logic;
    final InetSocketAddress address;
    final Connection connection;
    String reason = "";
    boolean renewed; // and the new identity is in use

    Session(Dials.Dial dial, InetSocketAddress address) {
      logic =
          new SessionLogic(
              settings,
              dial.server(),
              commands,
              bodies::append,
              () -> servers.directory().version(),
              dial.wakeId());
      if (dial.pull()) {
        apply(this, logic.onPull(dial.pullWakeId(), clock.nanos()));
      }
      this.address = address;
      connection = new Connection(diallers.of(dial.server()), hosts, address, this);
    }

    boolean isCurrent() {
      return sessions.get(logic.server()) == this;
    }

    @Override
    public void onConnected(String note) {
      onThread(() -> apply(this, logic.onConnected(note, clock.nanos())));
    }

    @Override
    public void onFrame(Frame frame) {
      onThread(
          () -> {
            try {
              apply(this, logic.onFrame(frame, clock.nanos(), clock.millis()));
            } finally {
              connection.release();
            }
          });
    }

    @Override
    public void onEnd(String why) {
      onThread(() -> end(this, why));
    }
  }

  SessionLoop(
      SessionLogic.Settings settings,
      CommandLogic commands,
      ActionRunner actions,
      BodyFolder bodies,
      ConfirmedActions confirmed,
      IdentityKeeper identities,
      Diallers diallers,
      ServerTable servers,
      HostAddresses hosts,
      DeviceClock clock,
      DeviceListener listener,
      Dialling dialling) {
    this.settings = settings;
    this.commands = commands;
    this.actions = actions;
    this.bodies = bodies;
    this.confirmed = confirmed;
    this.identities = identities;
    this.diallers = diallers;
    this.servers = servers;
    this.hosts = hosts;
    this.clock = clock;
    this.listener = listener;
    this.dialling = dialling;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            runnable -> {
              Thread worker = new Thread(runnable, "beckon-commands");
              worker.setDaemon(true);
              return worker;
            });
  }

  /** Gets ready to dial; any thread. */
  void start() {
    onThread(() -> diallers.of(RENDEZVOUS_SERVER).warmUp());
  }

  /** Opens a session; any thread. */
  void dial(Dials.Dial dial, InetSocketAddress address) {
    onThread(
        () -> {
          Session fresh = new Session(dial, address);
          sessions.put(dial.server(), fresh);
          listener.onDial(dial.server(), address, dial.wakeId());
          fresh.connection.start();
          tickLater();
        });
  }

  /** A wake came while a session with its server is being opened or open; any thread. */
  void wake(int server, long wakeId) {
    onThread(
        () -> {
          Session current = sessions.get(server);
          if (current == null) {
            dialling.onWakeMissed(server, wakeId);
          } else {
            apply(current, current.logic.onWake(wakeId, clock.nanos()));
          }
        });
  }

  /**
   * The directory is wanted of a server with which a session is being opened or open; any thread.
   */
  void pull(int server, long wakeId) {
    onThread(
        () -> {
          Session current = sessions.get(server);
          if (current == null) {
            dialling.onPullMissed(server, wakeId);
          } else {
            apply(current, current.logic.onPull(wakeId, clock.nanos()));
          }
        });
  }

  /** The rendezvous server shall learn this, in the open session or the next one; any thread. */
  void tell(UnknownServer unknown) {
    onThread(
        () -> {
          untold.put(unknown.getNumber(), unknown);
          if (untold.size() > MAX_UNTOLD) {
            untold.remove(untold.keySet().iterator().next());
          }
          Session current = sessions.get(RENDEZVOUS_SERVER);
          if (current == null) {
            dialling.onUntold();
          } else {
            tellUntold(current);
          }
        });
  }

  private void tellUntold(Session current) {
    if (current.logic.server() == RENDEZVOUS_SERVER && current.logic.isOpen()) {
      untold.values().forEach(unknown -> apply(current, current.logic.onUnknownServer(unknown)));
      untold.clear();
    }
  }

  /** Says Bye, lets running actions end for a moment, and stops. */
  @Override
  public void close() {
    actions.interrupt();
    actions.await(CLOSE_MILLIS);
    CountDownLatch said = new CountDownLatch(1);
    onThread(
        () -> {
          for (Session current : List.copyOf(sessions.values())) {
            List<SessionEffect> goodbye = current.logic.onShutdown();
            apply(current, goodbye);
            if (goodbye.isEmpty()) {
              current.connection.cut(); // still dialling: nobody to say goodbye to
              sessions.remove(current.logic.server());
            }
          }
          said.countDown();
        });
    try {
      if (!said.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
        LOG.log(System.Logger.Level.WARNING, "a command's bookkeeping takes long; stopping anyway");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    thread.shutdownNow();
    for (Session current : sessions.values()) {
      current.connection.awaitWritten(CLOSE_MILLIS);
      current.connection.cut();
    }
  }

  /** Looks at the time while there is anything that it may change. */
  private void tickLater() {
    if (!ticking) {
      ticking = true;
      later(this::tick, TICK_MILLIS);
    }
  }

  private void tick() {
    ticking = false;
    try {
      applyAll(commands.onTime(clock.millis()));
      for (Session current : List.copyOf(sessions.values())) {
        apply(current, current.logic.onTime(clock.nanos()));
      }
    } finally {
      if (!sessions.isEmpty() || commands.isBusy()) {
        tickLater();
      }
    }
  }

  private void end(Session ended, String why) {
    int server = ended.logic.server();
    if (!ended.isCurrent()) {
      return;
    }
    sessions.remove(server);
    ended.logic.unfinishedBodies().forEach(bodies::discardCommandBody); // they come again, whole
    String reason = ended.reason.isEmpty() ? why : ended.reason;
    if (ended.logic.wasWelcomed()) {
      listener.onSessionClosed(server, reason);
    } else {
      listener.onDialFailed(server, ended.address, reason);
    }
    if (ended.logic.isRefused()) {
      dialling.onRefused(server);
    } else if (!ended.logic.wasWelcomed()) {
      dialling.onFailed(server);
    } else if (ended.logic.isWakeUnserved()) {
      dialling.onClosed(server, Ending.UNSERVED_WAKE);
      if (commands.isUnfinished(server)) {
        dialling.onUnreported(server); // beyond the deadline of the wake
      }
    } else if (commands.isUnfinished(server) || ended.logic.isReceiving()) {
      dialling.onClosed(server, Ending.UNFINISHED);
    } else {
      dialling.onClosed(server, Ending.FINISHED);
    }
    if (ended.renewed // that it took the new identity over is untold, and proves it as well
        || (server == RENDEZVOUS_SERVER
            && !untold.isEmpty() // they met a session that was closing
            && ended.logic.wasWelcomed()
            && !ended.logic.isRefused())) {
      dialling.onUntold();
    }
  }

  private void apply(Session current, List<SessionEffect> effects) {
    for (SessionEffect effect : effects) {
      if (effect instanceof SessionEffect.Send send) {
        current.connection.send(send.frame());
      } else if (effect instanceof SessionEffect.SendBody body) {
        current.connection.sendBody(body.key().commandId(), bodies.resultBody(body.key()));
      } else if (effect instanceof SessionEffect.Welcomed welcomed) {
        if (current.logic.server() == RENDEZVOUS_SERVER) {
          clock.set(welcomed.serverTimeMillis()); // the one clock of the fleet
          identities.confirmed();
        }
        listener.onSessionOpened(current.logic.server(), current.logic.wakeId());
        dialling.onOpened(current.logic.server());
        tellUntold(current);
      } else if (effect instanceof SessionEffect.ActionsConfirmed) {
        if (current.logic.server() == RENDEZVOUS_SERVER) {
          confirmed.confirm(settings.actionsHash());
        }
      } else if (effect instanceof SessionEffect.OfCommand ofCommand) {
        CommandEffect of = ofCommand.effect();
        if (of instanceof CommandEffect.Report && of.key().server() != current.logic.server()) {
          applyAll(List.of(of));
        } else {
          apply(of);
        }
      } else if (effect instanceof SessionEffect.Directory directory) {
        judge(directory);
      } else if (effect instanceof SessionEffect.Pulled) {
        dialling.onPulled(current.logic.server());
      } else if (effect instanceof SessionEffect.Waiting waiting) {
        dialling.onWaiting(waiting.server(), waiting.wakeId(), waiting.deadlineMillis());
      } else if (effect instanceof SessionEffect.Renew) {
        requestRenewal(current);
      } else if (effect instanceof SessionEffect.Renewed renewed) {
        current.renewed = takeOver(renewed.renewal());
      } else if (effect instanceof SessionEffect.RenewalRefused refused) {
        LOG.log(System.Logger.Level.WARNING, "renewal: refused ({0})", refused.code());
      } else if (effect instanceof SessionEffect.Close close) {
        current.reason = close.reason();
        current.connection.finish();
        later(current.connection::cut, CLOSE_MILLIS);
      }
    }
  }

  private void requestRenewal(Session current) {
    try {
      byte[] request = identities.request();
      apply(current, List.of(current.logic.renewal().onCertificateRequest(request)));
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "renewal: put off to the next session", e);
    }
  }

  private boolean takeOver(Renewal renewal) {
    try {
      identities.accept(renewal, clock.millis());
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "renewal: the former identity stays in use", e);
      return false;
    }
    diallers.forget();
    dialling.onRenewed(identities.current().key());
    listener.onRenewed(identities.current().keyId(), identities.current().validUntil());
    return true;
  }

  private void judge(SessionEffect.Directory directory) {
    DirectoryVerdict verdict =
        directory.tooLong() ? DirectoryVerdict.TOO_LONG : servers.offer(directory.signed());
    listener.onDirectory(directory.version(), verdict.text());
    if (verdict == DirectoryVerdict.ACCEPTED) {
      dialling.onDirectory();
      commands.servers().stream() // one may have had no address until now
          .filter(server -> !sessions.containsKey(server) && commands.isUnfinished(server))
          .forEach(dialling::onUnreported);
    }
  }

  private void apply(CommandEffect effect) {
    if (effect instanceof CommandEffect.Report report) {
      tell(report.key(), report.update());
    } else if (effect instanceof CommandEffect.Run run) {
      actions.run(run.key(), run.command(), progress, this::onEnded);
    } else if (effect instanceof CommandEffect.Discard discard) {
      told.remove(discard.key());
      bodies.discard(discard.key());
    }
  }

  private void tell(CommandKey key, Update update) {
    boolean isNews =
        !commands.isRemembered(key) // then nothing would ever take it out of the map
            || told.put(key, update.getState()) != update.getState();
    if (isNews) {
      listener.onCommand(
          key.commandId(), commands.actionOf(key), update.getState().name(), update.getReason());
    }
  }

  private void onProgress(CommandKey key, int percent, String text) {
    applyAll(commands.onProgress(key, percent, text, clock.millis()));
  }

  private void onEnded(CommandKey key, ActionRunner.Outcome outcome) {
    onThread(
        () ->
            applyAll(
                commands.onEnded(
                    key,
                    outcome.state(),
                    outcome.reason(),
                    outcome.result(),
                    outcome.bodyBytes(),
                    clock.millis())));
  }

  /** Each through the session with the server that it concerns, if there is one. */
  private void applyAll(List<CommandEffect> effects) {
    Set<Integer> away = new HashSet<>();
    for (CommandEffect effect : effects) {
      int server = effect.key().server();
      Session current = sessions.get(server);
      if (current != null) {
        apply(current, current.logic.onCommandEffects(List.of(effect)));
      } else {
        apply(effect);
        away.add(server);
      }
    }
    for (int server : away) {
      if (commands.isUnfinished(server)) {
        dialling.onUnreported(server);
      }
    }
  }

  private void onThread(Runnable task) {
    later(task, 0);
  }

  private void later(Runnable task, long millis) {
    try {
      thread.schedule(
          () -> {
            try {
              task.run();
            } catch (RuntimeException e) {
              // Our bug; the executor would hide it, and the device must live on.
              LOG.log(System.Logger.Level.ERROR, "a frame or an event could not be handled", e);
            }
          },
          millis,
          TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The device is closed.
    }
  }

  /** Which actions the server has confirmed that it knows, kept across restarts. */
  interface ConfirmedActions {
    void confirm(ByteString hash);
  }
}
