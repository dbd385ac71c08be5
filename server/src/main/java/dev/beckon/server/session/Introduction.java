package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Frame;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Waits for the Hello of a device that shows no certificate, and believes the ID in it: security
 * {@code server} and {@code none}.
 *
 * <p>The ID stands for the generation that enrolled last, for nothing tells another. A device that
 * never enrolled is refused here; one whose generation is on the deny-list by the session, which
 * gets the Hello from here.
 */
final class Introduction extends ChannelInboundHandlerAdapter {

  private final OpenSessions sessions;
  private final SessionCounters counters;
  private final List<Frame> held = new ArrayList<>(2);
  private boolean decided;

  Introduction(OpenSessions sessions, SessionCounters counters) {
    this.sessions = sessions;
    this.counters = counters;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    ctx.executor()
        .schedule(
            () -> {
              if (held.isEmpty()) {
                refuse(ctx, Refusal.NO_HELLO, CloseReason.TOO_SLOW, "Hello: none in time");
              }
            },
            sessions.config().hello().toNanos(),
            TimeUnit.NANOSECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Frame frame = (Frame) message;
    if (!held.isEmpty()) {
      held.add(frame); // rides behind Hello
    } else if (frame.hasHello()) {
      held.add(frame);
      ctx.channel().config().setAutoRead(false);
      identify(ctx, frame.getHello().getDeviceId());
    } else if (frame.getKindCase() != Frame.KindCase.KIND_NOT_SET) {
      refuse(
          ctx,
          Refusal.NO_HELLO,
          CloseReason.PROTOCOL_ERROR,
          "first frame: " + frame.getKindCase() + " (expected HELLO)");
    }
  }

  private void identify(ChannelHandlerContext ctx, String text) {
    DeviceId id;
    try {
      id = new DeviceId(text);
    } catch (IllegalArgumentException malformed) {
      unknown(ctx);
      return;
    }
    try {
      sessions
          .readers()
          .execute(
              () -> {
                OptionalInt generation;
                try {
                  generation = sessions.store().enrolledGeneration(id);
                } catch (RuntimeException failure) {
                  sessions.unexpected("store", id, failure);
                  ctx.close();
                  return;
                }
                ctx.executor().execute(() -> identified(ctx, id, generation));
              });
    } catch (RejectedExecutionException stopping) {
      ctx.close();
    }
  }

  private void identified(ChannelHandlerContext ctx, DeviceId id, OptionalInt generation) {
    if (decided) {
      return; // it is gone
    }
    if (generation.isEmpty()) {
      unknown(ctx);
      return;
    }
    decided = true;
    DeviceCertificates.Identity believed =
        new DeviceCertificates.Identity(id, generation.getAsInt(), null);
    ctx.pipeline().addLast(new SessionHandler(sessions, believed));
    ctx.channel().config().setAutoRead(true); // first: the session may want it off
    held.forEach(ctx::fireChannelRead);
    ctx.pipeline().remove(this);
  }

  private void unknown(ChannelHandlerContext ctx) {
    refuse(
        ctx,
        Refusal.UNKNOWN_DEVICE,
        CloseReason.DEVICE_MISMATCH,
        "device ID: not enrolled here (expected one that is; enroll this device)");
  }

  private void refuse(ChannelHandlerContext ctx, Refusal reason, CloseReason close, String text) {
    if (!decided) {
      decided = true;
      counters.count(reason);
      ctx.writeAndFlush(Frames.bye(close, text)).addListener(ChannelFutureListener.CLOSE);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (!decided) {
      decided = true;
      counters.count(Refusal.NO_HELLO);
    }
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof FrameDecoder.MalformedFrameException malformed) {
      refuse(
          ctx,
          Refusal.NO_HELLO,
          CloseReason.PROTOCOL_ERROR,
          String.valueOf(malformed.getMessage()));
    } else {
      ctx.close();
    }
  }
}
