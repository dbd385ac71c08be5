package dev.beckon.server.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * Tells TLS from frames by the first two bytes of a connection; passes all of them on.
 *
 * <p>TLS begins with 0x16 (handshake) 0x03 (major version). A frame may be 22 bytes long and so
 * begin with 0x16 too, but then comes the tag of its first field, and 0x03 would be field number 0,
 * which Protocol Buffers do not have.
 */
final class FirstBytes extends ByteToMessageDecoder {
  private static final int TLS_HANDSHAKE = 0x16;
  private static final int TLS_MAJOR_VERSION = 0x03;

  private final Entrance entrance;
  private final long deadlineNanos;

  FirstBytes(Entrance entrance, long deadlineNanos) {
    this.entrance = entrance;
    this.deadlineNanos = deadlineNanos;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    int at = in.readerIndex();
    if (in.getUnsignedByte(at) != TLS_HANDSHAKE) {
      entrance.begun(ctx, false, deadlineNanos);
    } else if (in.readableBytes() > 1) {
      entrance.begun(ctx, in.getUnsignedByte(at + 1) == TLS_MAJOR_VERSION, deadlineNanos);
    }
  }
}
