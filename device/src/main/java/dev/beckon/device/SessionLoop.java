package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandEffect;
import dev.beckon.device.command.CommandLogic;
import dev.beckon.device.session.SessionEffect;
import dev.beckon.device.session.SessionLogic;
import dev.beckon.device.tls.TlsDialler;
import dev.beckon.device.wake.DialLogic.Ending;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The thread that owns commands and the session: does what {@link SessionLogic} and {@link
 * CommandLogic} say. At most one session is open at a time.
 */
final class SessionLoop implements AutoCloseable {
  /** Gets how dialling goes, on this loop's thread. */
  interface Dialling {
    void onOpened();

    void onFailed();

    void onRefused();

    void onClosed(Ending ending);

    /** A wake was to be told to a session that is no more. */
    void onWakeMissed(long wakeId);

    /** Something has ended while no session is open. */
    void onUnreported();
  }

  private static final System.Logger LOG = System.getLogger("dev.beckon.device");
  private static final long TICK_MILLIS = 500;
  private static final long CLOSE_MILLIS = 2_000;

  private final ScheduledThreadPoolExecutor thread;
  private final SessionLogic.Settings settings;
  private final CommandLogic commands;
  private final ActionRunner actions;
  private final BodyFolder bodies;
  private final ConfirmedActions confirmed;
  private final TlsDialler dialler;
  private final InetSocketAddress address;
  private final DeviceClock clock;
  private final DeviceListener listener;
  private final Dialling dialling;
  private final Map<String, State> told = new HashMap<>();

  private volatile @Nullable Session session; // written on this loop's thread only

  private final class Session implements Connection.Receiver {
    final SessionLogic logic;
    final Connection connection;
    String reason = "";

    Session(long wakeId) {
      logic = new SessionLogic(settings, commands, bodies::append, wakeId);
      connection = new Connection(dialler, address, this);
    }

    @Override
    public void onConnected() {
      onThread(() -> apply(this, logic.onConnected(clock.nanos())));
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
      TlsDialler dialler,
      InetSocketAddress address,
      DeviceClock clock,
      DeviceListener listener,
      Dialling dialling) {
    this.settings = settings;
    this.commands = commands;
    this.actions = actions;
    this.bodies = bodies;
    this.confirmed = confirmed;
    this.dialler = dialler;
    this.address = address;
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
    onThread(dialler::warmUp);
  }

  /** Opens a session; any thread. */
  void dial(long wakeId) {
    onThread(
        () -> {
          Session fresh = new Session(wakeId);
          session = fresh;
          listener.onDial(address, wakeId);
          fresh.connection.start();
          tickLater(fresh);
        });
  }

  /** A wake came while a session is being opened or open; any thread. */
  void wake(long wakeId) {
    onThread(
        () -> {
          Session current = session;
          if (current == null) {
            dialling.onWakeMissed(wakeId);
          } else {
            apply(current, current.logic.onWake(wakeId, clock.nanos()));
          }
        });
  }

  /** Says Bye, lets running actions end for a moment, and stops. */
  @Override
  public void close() {
    actions.interrupt();
    actions.await(CLOSE_MILLIS);
    CountDownLatch said = new CountDownLatch(1);
    onThread(
        () -> {
          Session current = session;
          if (current != null) {
            List<SessionEffect> goodbye = current.logic.onShutdown();
            apply(current, goodbye);
            if (goodbye.isEmpty()) {
              current.connection.cut(); // still dialling: nobody to say goodbye to
              session = null;
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
    Session current = session;
    if (current != null) {
      current.connection.awaitWritten(CLOSE_MILLIS);
      current.connection.cut();
    }
  }

  private void tickLater(Session ticked) {
    later(
        () -> {
          if (session == ticked) {
            apply(ticked, ticked.logic.onTime(clock.nanos()));
            tickLater(ticked);
          }
        },
        TICK_MILLIS);
  }

  private void end(Session ended, String why) {
    if (session != ended) {
      return;
    }
    session = null;
    String reason = ended.reason.isEmpty() ? why : ended.reason;
    if (ended.logic.wasWelcomed()) {
      listener.onSessionClosed(reason);
    } else {
      listener.onDialFailed(address, reason);
    }
    if (ended.logic.isRefused()) {
      dialling.onRefused();
    } else if (!ended.logic.wasWelcomed()) {
      dialling.onFailed();
    } else if (ended.logic.isWakeUnserved()) {
      dialling.onClosed(Ending.UNSERVED_WAKE);
      if (commands.isUnfinished()) {
        dialling.onUnreported(); // beyond the deadline of the wake
      }
    } else if (commands.isUnfinished() || ended.logic.isReceiving()) {
      dialling.onClosed(Ending.UNFINISHED);
    } else {
      dialling.onClosed(Ending.FINISHED);
    }
  }

  private void apply(Session current, List<SessionEffect> effects) {
    for (SessionEffect effect : effects) {
      if (effect instanceof SessionEffect.Send send) {
        current.connection.send(send.frame());
      } else if (effect instanceof SessionEffect.SendBody body) {
        current.connection.sendBody(body.commandId(), bodies.resultBody(body.commandId()));
      } else if (effect instanceof SessionEffect.Welcomed welcomed) {
        clock.set(welcomed.serverTimeMillis());
        listener.onSessionOpened(current.logic.wakeId());
        dialling.onOpened();
      } else if (effect instanceof SessionEffect.ActionsConfirmed) {
        confirmed.confirm(settings.actionsHash());
      } else if (effect instanceof SessionEffect.OfCommand ofCommand) {
        apply(ofCommand.effect());
      } else if (effect instanceof SessionEffect.Close close) {
        current.reason = close.reason();
        current.connection.finish();
        later(current.connection::cut, CLOSE_MILLIS);
      }
    }
  }

  private void apply(CommandEffect effect) {
    if (effect instanceof CommandEffect.Report report) {
      tell(report.update());
    } else if (effect instanceof CommandEffect.Run run) {
      actions.run(run.command(), this::onProgress, this::onEnded);
    } else if (effect instanceof CommandEffect.Discard discard) {
      told.remove(discard.commandId());
      bodies.discard(discard.commandId());
    }
  }

  private void tell(Update update) {
    String id = update.getCommandId();
    if (told.put(id, update.getState()) != update.getState()) {
      listener.onCommand(id, commands.actionOf(id), update.getState().name(), update.getReason());
    }
  }

  private void onProgress(String commandId, int percent, String text) {
    onThread(() -> applyAll(commands.onProgress(commandId, percent, text, clock.millis())));
  }

  private void onEnded(String commandId, ActionRunner.Outcome outcome) {
    onThread(
        () -> {
          applyAll(
              commands.onEnded(
                  commandId,
                  outcome.state(),
                  outcome.reason(),
                  outcome.result(),
                  outcome.bodyBytes(),
                  clock.millis()));
          if (session == null) {
            dialling.onUnreported();
          }
        });
  }

  private void applyAll(List<CommandEffect> effects) {
    Session current = session;
    if (current != null) {
      apply(current, current.logic.onCommandEffects(effects));
    } else {
      effects.forEach(this::apply);
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
