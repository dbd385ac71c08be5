package dev.beckon.bench.mqtt;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;

/**
 * The start of one MQTT 3.1.1 connection: CONNECT, CONNACK, SUBSCRIBE, SUBACK. What comes later is
 * not looked at. A refusal or a failure closes the connection.
 */
final class MqttSubscription extends SimpleChannelInboundHandler<ByteBuf> {
  private static final int CONNECT = 0x10;
  private static final int CLEAN_SESSION = 0x02;
  private static final int SUBSCRIBE = 0x82;

  /** Longer than any measurement: an idle client shall be idle. */
  private static final int KEEP_ALIVE_SECONDS = 1200;

  /** CONNACK: type, length, flags, return code; SUBACK: type, length, packet ID, return code. */
  private static final int ANSWER_BYTES = 4 + 5;

  private static final int CONNACK_CODE_AT = 3;
  private static final int SUBACK_CODE_AT = 8;
  private static final int SUBACK_FAILURE = 0x80;

  private final int client;
  private final Runnable onSubscribed;
  private int seen;

  /**
   * @param client its number, of which the client ID and the topic are made
   * @param onSubscribed called on the event loop when the subscription stands
   */
  MqttSubscription(int client, Runnable onSubscribed) {
    this.client = client;
    this.onSubscribed = onSubscribed;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (context.pipeline().get(SslHandler.class) == null) {
      subscribe(context);
    }
    context.fireChannelActive();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake && handshake.isSuccess()) {
      subscribe(context);
    }
    context.fireUserEventTriggered(event);
  }

  /** SUBSCRIBE may follow CONNECT at once (MQTT 3.1.1, section 3.1.4). */
  private void subscribe(ChannelHandlerContext context) {
    byte[] id = "sim-%08d".formatted(client).getBytes(US_ASCII);
    byte[] topic = "devices/sim-%08d/commands".formatted(client).getBytes(US_ASCII);
    ByteBuf packets = context.alloc().buffer(128);
    packets.writeByte(CONNECT).writeByte(10 + 2 + id.length);
    packets.writeShort(4).writeBytes("MQTT".getBytes(US_ASCII)).writeByte(4);
    packets.writeByte(CLEAN_SESSION).writeShort(KEEP_ALIVE_SECONDS);
    packets.writeShort(id.length).writeBytes(id);
    packets.writeByte(SUBSCRIBE).writeByte(2 + 2 + topic.length + 1);
    packets.writeShort(1).writeShort(topic.length).writeBytes(topic).writeByte(1);
    context.writeAndFlush(packets);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
    while (bytes.isReadable() && seen < ANSWER_BYTES) {
      int value = bytes.readUnsignedByte();
      boolean refused =
          (seen == CONNACK_CODE_AT && value != 0)
              || (seen == SUBACK_CODE_AT && value >= SUBACK_FAILURE);
      if (refused) {
        context.close();
        return;
      }
      seen++;
      if (seen == ANSWER_BYTES) {
        onSubscribed.run();
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close(); // the broker went away; the client dials again
  }
}
