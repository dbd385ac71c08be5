package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.identity.Renewals;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Carries out with Netty and the store what one {@link SessionLogic} wants. Decides nothing.
 *
 * <p>The logic is touched by the channel's event loop alone; what is read from the store on other
 * threads comes back to it as a task.
 */
final class SessionHandler extends ChannelInboundHandlerAdapter {

  /**
   * What may wait for a device that does not read. All commands in flight and a piece of a body are
   * a quarter of it; the rest can only be receipts for what the device goes on to send.
   */
  private static final long MAX_UNREAD_BYTES = 4 << 20;

  /** How long a Bye may take to be written. */
  private static final long BYE_SECONDS = 3;

  private final OpenSessions sessions;
  private final DeviceCertificates.Identity identity;
  private final SessionLogic logic;
  private final BodyReader body;

  private @Nullable ChannelHandlerContext context;
  private @Nullable Future<?> timer;
  private long timerNanos;
  private long wakeId;
  private CompletableFuture<?> settled = CompletableFuture.completedFuture(null);
  private int server;
  private long countedBytes;
  private long storingBytes; // of whole bodies on their way into the store
  private boolean readsBodies;
  private boolean admitted;
  private boolean ended;
  private volatile boolean takesPushes;

  SessionHandler(OpenSessions sessions, DeviceCertificates.Identity identity) {
    this.sessions = sessions;
    this.identity = identity;
    this.body = new BodyReader(sessions.store());
    this.logic =
        new SessionLogic(
            sessions.config(),
            identity.id().value(),
            identity.generation(),
            sessions.admission(),
            sessions.numbers(),
            sessions.store()::directory,
            sessions.nanos());
  }

  DeviceId deviceId() {
    return identity.id();
  }

  int generation() {
    return identity.generation();
  }

  /** The number that the device dialled; known once it is admitted. */
  int server() {
    return server;
  }

  /** Whether Hello was accepted. Event loop only. */
  boolean admitted() {
    return admitted;
  }

  // ---- from any thread

  /** Whether a new command may be offered to this session instead of waking the device. */
  boolean takesPushes() {
    return takesPushes;
  }

  void commandsWaiting() {
    onLoop(now -> logic.onCommandsWaiting(now));
  }

  void commandEnded(String commandId) {
    onLoop(now -> logic.onCommandEnded(commandId));
  }

  void cancelAsked(String commandId) {
    onLoop(now -> logic.onCancelAsked(commandId));
  }

  void close(CloseReason reason, String text) {
    onLoop(now -> logic.onClose(reason, text));
  }

  /** Ends the session if its certificate is of none of the roots of now. */
  void rootsChanged() {
    onLoop(
        now ->
            sessions.believes(identity)
                ? List.of()
                : logic.onClose(
                    CloseReason.ROOT_DROPPED,
                    "certificate: of a root that was dropped (expected one of today's roots)"));
  }

  /** Completes when the connection has ended. */
  Future<?> end() {
    ChannelHandlerContext ctx = context;
    return ctx == null ? CompletableFuture.completedFuture(null) : ctx.channel().closeFuture();
  }

  private void onLoop(LongFunction<List<Effect>> input) {
    ChannelHandlerContext ctx = context;
    if (ctx == null) {
      return;
    }
    try {
      ctx.executor().execute(() -> run(ctx, input.apply(sessions.nanos())));
    } catch (RejectedExecutionException stopping) {
      // The event loops are gone, and the session with them.
    }
  }

  // ---- on the event loop

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    watchDeadline(ctx);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (ctx.channel().bytesBeforeWritable() > MAX_UNREAD_BYTES) {
      run(ctx, logic.onClose(CloseReason.TOO_SLOW, "too much sent that was not read"));
      return;
    }
    run(ctx, logic.onFrame((Frame) message, sessions.nanos()));
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    run(ctx, logic.onWritable(ctx.channel().isWritable()));
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    run(ctx, logic.onConnectionLost());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof FrameDecoder.MalformedFrameException malformed) {
      run(ctx, logic.onClose(CloseReason.PROTOCOL_ERROR, String.valueOf(malformed.getMessage())));
    } else if (cause instanceof IOException || cause.getCause() instanceof IOException) {
      // Among them broken TLS records: whoever sent them was not the device.
      run(ctx, logic.onConnectionLost());
    } else {
      sessions.unexpected("session", identity.id(), cause);
      run(ctx, logic.onClose(CloseReason.SERVER_FAILED, "server: failed (try again later)"));
    }
  }

  private void run(ChannelHandlerContext ctx, List<Effect> effects) {
    boolean written = false;
    for (Effect effect : effects) {
      switch (effect) {
        case Effect.Send send -> {
          ctx.write(send.frame(), ctx.voidPromise());
          written = true;
        }
        case Effect.SendPart part -> {
          ctx.write(part.frame())
              .addListener(
                  sent ->
                      run(
                          ctx,
                          sent.isSuccess()
                              ? logic.onPartWritten(sessions.nanos())
                              : logic.onConnectionLost()));
          written = true;
        }
        case Effect.HoldsDirectory holds ->
            sessions.store().holdsDirectory(identity.id(), holds.version());
        case Effect.NotFound notFound -> sessions.notFound(identity.id(), notFound.server());
        case Effect.Admit admit -> admit(ctx, admit);
        case Effect.Inquired inquired ->
            sessions.inquired(identity.id(), server, inquired.wakeId());
        case Effect.ReadDevice read -> readDevice(ctx, read);
        case Effect.HandOver ask ->
            then(
                ctx,
                settled.thenCompose(
                    nothing ->
                        sessions.store().handOver(identity.id(), ask.inFlight(), ask.limit())),
                (portion, now) ->
                    logic.onHandedOver(portion.commands(), portion.cancellations(), now));
        case Effect.ReadBody read -> {
          readsBodies = true; // from when it is asked for: the reading may still be to come at end
          blocking(
              ctx,
              () -> body.read(read),
              (content, now) -> logic.onBodyRead(read.commandId(), content, now));
        }
        case Effect.Store store -> store(ctx, store.update(), store.resultBody());
        case Effect.KeepActions keep ->
            then(
                ctx,
                sessions.store().keepActions(identity.id(), keep.actions(), keep.hash()),
                (kept, now) -> logic.onActionsKept(now));
        case Effect.Renew renew ->
            then(ctx, renew(renew), (renewal, now) -> logic.onRenewed(renewal, now));
        case Effect.PauseReading pause -> ctx.channel().config().setAutoRead(false);
        case Effect.ResumeReading resume -> ctx.channel().config().setAutoRead(true);
        case Effect.Close close -> end(ctx, close.reason());
      }
    }
    if (written) {
      ctx.flush();
    }
    takesPushes = logic.takesPushes();
    accountBodies(ctx);
    watchDeadline(ctx);
  }

  private void admit(ChannelHandlerContext ctx, Effect.Admit admit) {
    takesPushes = logic.takesPushes();
    server = admit.server();
    wakeId = admit.wakeId();
    admitted = true;
    settled = sessions.admit(this, wakeId, (InetSocketAddress) ctx.channel().remoteAddress());
  }

  private void readDevice(ChannelHandlerContext ctx, Effect.ReadDevice read) {
    boolean lingers = sessions.lingers(identity.id(), wakeId);
    blocking(
        ctx, () -> greeting(read, lingers), (greeting, now) -> logic.onDeviceRead(greeting, now));
  }

  private Greeting greeting(Effect.ReadDevice read, boolean lingers) {
    SessionStore store = sessions.store();
    DeviceId id = identity.id();
    X509Certificate shown = identity.certificate();
    return new Greeting(
        !store.knowsActions(id, read.actionsHash()),
        shown != null && store.wantsRenewal(id, read.holding(), shown),
        sessions.millis(),
        lingers,
        server == Wake.RENDEZVOUS_SERVER ? store.waitingServers(id) : List.of());
  }

  /** Whoever is believed by its Hello alone gets no key: anybody can say that Hello. */
  private CompletableFuture<Renewal> renew(Effect.Renew renew) {
    X509Certificate shown = identity.certificate();
    return shown == null
        ? CompletableFuture.completedFuture(
            Renewal.newBuilder().setRefusal(Renewals.NOT_HERE).build())
        : sessions
            .store()
            .renew(identity.id(), identity.generation(), shown, renew.certificateRequest());
  }

  private void store(ChannelHandlerContext ctx, Update update, byte @Nullable [] resultBody) {
    boolean reportedEnd =
        update.getState() != State.DELIVERED && update.getState() != State.RUNNING;
    int bodyBytes = resultBody == null ? 0 : resultBody.length;
    storingBytes += bodyBytes;
    then(
        ctx,
        sessions
            .store()
            .update(identity.id(), update, resultBody)
            .whenComplete((stored, failure) -> onLoop(now -> release(bodyBytes))),
        (stored, now) -> logic.onStored(update.getCommandId(), reportedEnd, stored.ended(), now));
  }

  private List<Effect> release(int bodyBytes) {
    storingBytes -= bodyBytes;
    return List.of();
  }

  private interface Input<T> {
    List<Effect> apply(T value, long nowNanos);
  }

  private <T> void then(ChannelHandlerContext ctx, CompletableFuture<T> future, Input<T> input) {
    future.whenComplete((value, failure) -> finished(ctx, failure, now -> input.apply(value, now)));
  }

  /** Runs SQL on a reader thread, never here. */
  private <T> void blocking(ChannelHandlerContext ctx, Callable<T> work, Input<T> input) {
    try {
      sessions
          .readers()
          .execute(
              () -> {
                try {
                  T value = work.call();
                  finished(ctx, null, now -> input.apply(value, now));
                } catch (Exception failure) { // Whatever the store throws ends this session only.
                  finished(ctx, failure, now -> List.of());
                }
              });
    } catch (RejectedExecutionException stopping) {
      // The server stops, and this session with it.
    }
  }

  private void finished(
      ChannelHandlerContext ctx, @Nullable Throwable failure, LongFunction<List<Effect>> input) {
    try {
      ctx.executor()
          .execute(
              () -> {
                if (failure != null) {
                  sessions.unexpected("store", identity.id(), failure);
                  run(ctx, logic.onStoreFailed());
                } else {
                  run(ctx, input.apply(sessions.nanos()));
                }
              });
    } catch (RejectedExecutionException stopping) {
      // The event loops are gone, and the session with them.
    }
  }

  /** Keeps the heap for arriving bodies within its bound, all sessions together. */
  private void accountBodies(ChannelHandlerContext ctx) {
    long bytes = logic.incomingBytes() + storingBytes;
    if (bytes != countedBytes) {
      long grown = bytes - countedBytes;
      countedBytes = bytes;
      if (!sessions.buffer(grown)) {
        run(
            ctx,
            logic.onClose(
                CloseReason.SERVER_FAILED, "bodies: no room for more now (try again later)"));
      }
    }
  }

  private void end(ChannelHandlerContext ctx, CloseReason reason) {
    if (!ended) {
      ended = true;
      takesPushes = false;
      if (readsBodies) {
        sessions.readers().execute(body::close);
      }
      sessions.ended(this, reason);
      ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
      // A device that does not read keeps that from ever being written.
      Future<?> cut = ctx.executor().schedule(() -> ctx.close(), BYE_SECONDS, TimeUnit.SECONDS);
      // Most do: the task must not keep all of a session alive for that long.
      ctx.channel().closeFuture().addListener(closed -> cut.cancel(false));
    }
  }

  /** One timer at most; moved only to an earlier time, and put off when it fires early. */
  private void watchDeadline(ChannelHandlerContext ctx) {
    OptionalLong deadline = logic.deadlineNanos();
    if (deadline.isEmpty()) {
      if (logic.phase() == SessionLogic.Phase.CLOSED && timer != null) {
        timer.cancel(false);
        timer = null;
      }
      return;
    }
    if (timer != null) {
      if (timerNanos - deadline.getAsLong() <= 0) {
        return;
      }
      timer.cancel(false);
    }
    timerNanos = deadline.getAsLong();
    timer =
        ctx.executor()
            .schedule(
                () -> {
                  timer = null;
                  run(ctx, logic.onTime(sessions.nanos()));
                },
                timerNanos - sessions.nanos(),
                TimeUnit.NANOSECONDS);
  }
}
