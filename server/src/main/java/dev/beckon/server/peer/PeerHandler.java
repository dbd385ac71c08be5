package dev.beckon.server.peer;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerRenewal;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.command.Commands;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.InvalidCertificateRequestException;
import dev.beckon.server.session.FrameDecoder;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out with Netty and the rest of the rendezvous server what one {@link PeerLogic} wants.
 * The logic is touched by the channel's event loop alone.
 */
final class PeerHandler extends ChannelInboundHandlerAdapter {

  private static final Logger LOG = LoggerFactory.getLogger(PeerHandler.class);

  /**
   * What may wait for a server that does not read, besides the deny-list that it gets when it
   * connects: several lists of servers, and a great many answers and raises.
   */
  private static final long MAX_UNREAD_BYTES = 8 << 20;

  /** How long a PeerBye may take to be written. */
  private static final long BYE_SECONDS = 3;

  private final PeerServer peers;
  private final int number;
  private final int generation;
  private final X509Certificate certificate;
  private final PeerLogic logic;

  private volatile @Nullable ChannelHandlerContext context;
  private boolean ended;
  private boolean timed;
  private int directoryVersion;
  private long denyListBytes;

  PeerHandler(PeerServer peers, int number, int generation, X509Certificate certificate) {
    this.peers = peers;
    this.number = number;
    this.generation = generation;
    this.certificate = certificate;
    this.logic =
        new PeerLogic(
            number, generation, peers.rendezvous()::admits, peers.security(), peers.nanos());
  }

  int number() {
    return number;
  }

  int generation() {
    return generation;
  }

  // ---- from any thread

  void evidence(
      DeviceId id, long wakeId, long atMillis, String event, Map<String, String> details) {
    onLoop(now -> logic.onEvidence(id, wakeId, atMillis, event, details));
  }

  void denied(DeviceId id, int minimumGeneration) {
    onLoop(now -> logic.onDenied(id, minimumGeneration));
  }

  void roots(PeerRoots ofToday) {
    onLoop(now -> logic.onRoots(ofToday));
  }

  void directory(PeerFrame frame) {
    onLoop(now -> logic.onDirectory(frame));
  }

  void close(PeerEnd end, String text) {
    onLoop(now -> logic.onClose(end, text));
  }

  /** Ends the connection if its certificate is of none of the roots of now. */
  void rootsChanged() {
    onLoop(now -> judgeRoot());
  }

  private void onLoop(LongFunction<List<PeerEffect>> input) {
    ChannelHandlerContext ctx = context;
    if (ctx == null) {
      return;
    }
    try {
      ctx.executor().execute(() -> run(ctx, input.apply(peers.nanos())));
    } catch (RejectedExecutionException stopping) {
      // The event loops are gone, and the connection with them.
    }
  }

  // ---- on the event loop

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    peers.opening(this);
    run(ctx, judgeRoot()); // before it was among them, a root's end could not reach it
    watch(ctx);
  }

  private List<PeerEffect> judgeRoot() {
    return peers.rendezvous().signed(certificate)
        ? List.of()
        : logic.onClose(
            PeerEnd.ROOT_DROPPED,
            "certificate: of a root that was dropped (connect with a newer one, else enroll this"
                + " server anew)");
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    run(ctx, logic.onFrame((PeerFrame) message, peers.nanos()));
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    run(ctx, logic.onConnectionLost());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof FrameDecoder.MalformedFrameException malformed) {
      run(ctx, logic.onClose(PeerEnd.PROTOCOL_ERROR, String.valueOf(malformed.getMessage())));
    } else {
      LOG.debug("connection of server {} failed", number, cause);
      run(ctx, logic.onConnectionLost());
    }
  }

  private void run(ChannelHandlerContext ctx, List<PeerEffect> effects) {
    boolean written = false;
    for (PeerEffect effect : effects) {
      switch (effect) {
        case PeerEffect.Send send -> {
          ctx.write(send.frame(), ctx.voidPromise());
          written = true;
        }
        case PeerEffect.Admit admit -> admit(ctx, admit);
        case PeerEffect.ReadDevice read ->
            blocking(
                ctx,
                () -> peers.rendezvous().device(read.id()),
                device -> deviceRead(read.requestId(), device));
        case PeerEffect.Wake wake -> wake(ctx, wake);
        case PeerEffect.Served served -> peers.rendezvous().served(served.id(), number);
        case PeerEffect.Renew renew -> renew(ctx, renew);
        case PeerEffect.Holds held -> peers.rendezvous().holds(number, generation, held.roots());
        case PeerEffect.Directory piece -> peers.directory().received(number, piece.frame());
        case PeerEffect.PauseReading pause -> ctx.channel().config().setAutoRead(false);
        case PeerEffect.ResumeReading resume -> ctx.channel().config().setAutoRead(true);
        case PeerEffect.Close close -> end(ctx, close.end());
      }
    }
    if (written) {
      ctx.flush();
      if (!logic.isClosed()
          && ctx.channel().bytesBeforeWritable() > MAX_UNREAD_BYTES + denyListBytes) {
        run(ctx, logic.onClose(PeerEnd.TOO_SLOW, "too much sent that was not read"));
      }
    }
  }

  private void admit(ChannelHandlerContext ctx, PeerEffect.Admit admit) {
    directoryVersion = admit.directoryVersion();
    peers.admit(this);
    blocking(
        ctx,
        () -> peers.rendezvous().nameOf(number),
        name -> {
          List<PeerEffect> effects =
              new ArrayList<>(logic.onAdmitted(name, peers.rendezvous().denied(), peers.millis()));
          effects.addAll(logic.onRoots(peers.rendezvous().rootsOfToday()));
          if (logic.isOpen()) {
            denyListBytes = bytes(effects);
            LOG.info(
                "server {} ({}) connected from {}", number, name, ctx.channel().remoteAddress());
            peers.directory().connected(number, directoryVersion);
          }
          return effects;
        });
  }

  private static long bytes(List<PeerEffect> effects) {
    long bytes = 0;
    for (PeerEffect effect : effects) {
      bytes += effect instanceof PeerEffect.Send send ? send.frame().getSerializedSize() : 0;
    }
    return bytes;
  }

  private List<PeerEffect> deviceRead(long requestId, Optional<Device> device) {
    return logic.onDeviceRead(
        requestId,
        device.isPresent(),
        device.map(Device::generation).orElse(0),
        device.filter(d -> d.state() == Device.State.REVOKED).isPresent());
  }

  private void wake(ChannelHandlerContext ctx, PeerEffect.Wake wake) {
    peers.counters().countWakeAsked();
    blocking(
        ctx,
        () -> {
          String refusal =
              peers
                  .rendezvous()
                  .device(wake.id())
                  .map(d -> d.state() == Device.State.REVOKED ? "device-revoked" : "")
                  .orElse("device-unknown");
          if (!refusal.isEmpty()) {
            peers.counters().countWakeRefused();
            return Map.entry(0L, refusal);
          }
          long deadlineMillis = latest(wake.deadlineMillis(), peers.millis());
          return Map.entry(peers.rendezvous().wake(wake.id(), number, deadlineMillis), refusal);
        },
        woken -> logic.onWakeAsked(wake.requestId(), woken.getKey(), woken.getValue()));
  }

  /** No wake is kept longer than a command's can be, whatever another server says. */
  static long latest(long deadlineMillis, long nowMillis) {
    return Math.min(deadlineMillis, nowMillis + Commands.MAX_DEADLINE.toMillis());
  }

  private void renew(ChannelHandlerContext ctx, PeerEffect.Renew renew) {
    blocking(
        ctx,
        () -> {
          try {
            if (!peers.rendezvous().signed(certificate)) {
              return PeerRenewal.getDefaultInstance(); // its end is on the way
            }
            List<ByteString> chain =
                peers.rendezvous().certify(renew.certificateRequest(), number, generation);
            return PeerRenewal.newBuilder()
                .addAllCertificateChain(chain)
                .addAllCaRoots(peers.rendezvous().roots())
                .build();
          } catch (InvalidCertificateRequestException refused) {
            LOG.warn("server {}: {}", number, refused.getMessage());
            return PeerRenewal.getDefaultInstance();
          }
        },
        logic::onRenewed);
  }

  private interface Then<T> {
    List<PeerEffect> apply(T value);
  }

  /** Runs what may block elsewhere, and comes back with what it brought. */
  private <T> void blocking(ChannelHandlerContext ctx, Callable<T> work, Then<T> then) {
    try {
      peers
          .background()
          .execute(
              () -> {
                try {
                  T value = work.call();
                  onLoop(now -> then.apply(value));
                } catch (Exception failed) { // the database's, or a bug: this connection's end only
                  LOG.error("server {}: a request failed", number, failed);
                  onLoop(now -> logic.onFailed());
                }
              });
    } catch (RejectedExecutionException stopping) {
      ctx.close();
    }
  }

  private void end(ChannelHandlerContext ctx, PeerEnd end) {
    if (!ended) {
      ended = true;
      peers.ended(this, end);
      LOG.info("server {}: connection ended, {}", number, end.code());
      ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
      ctx.executor().schedule(() -> ctx.close(), BYE_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** One timer, set anew each time it fires. */
  private void watch(ChannelHandlerContext ctx) {
    if (timed || logic.isClosed()) {
      return;
    }
    timed = true;
    ctx.executor()
        .schedule(
            () -> {
              timed = false;
              run(ctx, logic.onTime(peers.nanos()));
              watch(ctx);
            },
            Math.max(0, logic.deadlineNanos() - peers.nanos()),
            TimeUnit.NANOSECONDS);
  }
}
