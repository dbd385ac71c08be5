package dev.beckon.lab.fleet;

import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/**
 * A device's side of one session, for a device that can do everything at once: it takes what comes,
 * says so, says that it runs and that it succeeded, and forgets it with the receipt. As from the
 * device library each report is a flush of its own. Event loop only.
 */
final class SimulatedSession extends ChannelInboundHandlerAdapter {

  private final SessionLoad load;
  private final SessionLoad.Dial dial;
  private final String deviceId;

  private int owed;
  private boolean commanded;
  private boolean greeted;
  private @Nullable String failure;

  SimulatedSession(SessionLoad load, SessionLoad.Dial dial) {
    this.load = load;
    this.dial = dial;
    this.deviceId = FleetIds.of(dial.device()).value();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    // Waits in the TLS handler and leaves behind Finished.
    ctx.writeAndFlush(
        Frame.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setDeviceId(deviceId)
                    .setBootId(load.bootId())
                    .setDelivery(Delivery.DELIVERY_PUSH)
                    .setWakeId(dial.wakeId())
                    .setActionsHash(FleetFolder.ACTIONS_HASH)
                    .setKeyId(load.fleet().masterKeyId())
                    .setRootsHash(load.fleet().rootsHash()))
            .build(),
        ctx.voidPromise());
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (handshake.isSuccess()) {
        load.handshakeDone(dial);
      } else {
        fail("handshake: " + handshake.cause());
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Frame frame = (Frame) message;
    switch (frame.getKindCase()) {
      case WELCOME -> {
        greeted = true;
        if (frame.getWelcome().getActionsWanted()) {
          ctx.writeAndFlush(
              Frame.newBuilder().setActions(FleetFolder.ACTIONS).build(), ctx.voidPromise());
        }
        if (load.leavesGreeted()) {
          leave(ctx);
        }
      }
      case COMMAND -> run(ctx, frame.getCommand());
      case RECEIPT -> {
        load.confirmed();
        owed--;
        if (owed == 0 && load.leavesAtOnce()) {
          leave(ctx);
        }
      }
      case BYE -> {
        switch (frame.getBye().getReason()) {
          case IDLE, SHUTTING_DOWN, REPLACED -> {}
          default -> fail("bye: " + frame.getBye().getReason());
        }
        ctx.close();
      }
      // Bodies, renewals and the directory are nothing that this device acts on.
      default -> {}
    }
  }

  private static void leave(ChannelHandlerContext ctx) {
    ctx.writeAndFlush(
        Frame.newBuilder().setBye(Bye.getDefaultInstance()).build(), ctx.voidPromise());
  }

  private void run(ChannelHandlerContext ctx, Command command) {
    if (!command.getDeviceId().equals(deviceId)) {
      fail("command for another device");
      ctx.close();
      return;
    }
    owed++;
    commanded = true;
    load.commandCame(dial, command);
    report(ctx, command, State.DELIVERED);
    report(ctx, command, State.RUNNING);
    report(ctx, command, State.SUCCEEDED);
  }

  private void report(ChannelHandlerContext ctx, Command command, State state) {
    Update.Builder update =
        Update.newBuilder()
            .setCommandId(command.getCommandId())
            .setState(state)
            .setDeviceTimeMillis(load.millis());
    if (state == State.SUCCEEDED) {
      update.putAllResult(command.getArgsMap());
    }
    ctx.writeAndFlush(Frame.newBuilder().setUpdate(update).build(), ctx.voidPromise());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail("connection: " + cause);
    ctx.close();
  }

  private void fail(String why) {
    if (failure == null) {
      failure = why;
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (!greeted) {
      fail("ended before Welcome");
    } else if (owed > 0) {
      fail("ended without a receipt");
    } else if (!commanded && load.leavesAtOnce()) {
      fail("ended without a command");
    }
    load.ended(dial, failure);
  }
}
