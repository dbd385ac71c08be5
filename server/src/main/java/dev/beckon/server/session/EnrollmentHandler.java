package dev.beckon.server.session;

import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One enrollment: a request, its answer or refusal, and the end of the connection. */
final class EnrollmentHandler extends ChannelInboundHandlerAdapter {

  private final OpenSessions sessions;
  private final SessionCounters counters;
  private boolean asked;

  EnrollmentHandler(OpenSessions sessions, SessionCounters counters) {
    this.sessions = sessions;
    this.counters = counters;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    ctx.executor()
        .schedule(
            () -> {
              if (!asked && ctx.channel().isActive()) {
                refuse(ctx);
              }
            },
            sessions.config().hello().toNanos(),
            TimeUnit.NANOSECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Frame frame = (Frame) message;
    if (asked) {
      return;
    }
    if (!frame.hasEnrollmentRequest()) {
      refuse(ctx);
      return;
    }
    asked = true;
    EnrollmentRequest request = frame.getEnrollmentRequest();
    sessions
        .store()
        .enroll(request.getSecret().toByteArray(), request.getCertificateRequest().toByteArray())
        .whenComplete((answer, failure) -> answer(ctx, answer, failure));
  }

  private void answer(
      ChannelHandlerContext ctx, @Nullable Frame answer, @Nullable Throwable failure) {
    try {
      ctx.executor()
          .execute(
              () -> {
                if (answer == null) {
                  sessions.unexpectedInEnrollment(failure);
                  ctx.close();
                  return;
                }
                if (answer.hasEnrollmentAnswer()) {
                  counters.countEnrolled();
                } else {
                  counters.count(Refusal.ENROLLMENT_REFUSED);
                }
                ctx.writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
              });
    } catch (RejectedExecutionException stopping) {
      // The device tries again; the same code gives the same answer.
    }
  }

  private void refuse(ChannelHandlerContext ctx) {
    asked = true;
    counters.count(Refusal.MALFORMED_ENROLLMENT);
    ctx.close();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!asked) {
      refuse(ctx);
    } else {
      ctx.close();
    }
  }
}
