package dev.beckon.server.session;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import java.util.List;

/**
 * Cuts bytes into frames: a varint length, then so many bytes of a message.
 *
 * <p>A length above {@link SessionConfig#MAX_FRAME_BYTES} is refused when it is read, before
 * anything of the frame is kept. Behind a refusal nothing is decoded any more.
 */
public final class FrameDecoder extends ByteToMessageDecoder {

  /** A frame that cannot be read. Peer's fault, so it carries no stack trace. */
  public static final class MalformedFrameException extends DecoderException {

    MalformedFrameException(String message) {
      super(message);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  /** 65,536 takes three bytes as a varint. */
  private static final int MAX_LENGTH_BYTES = 3;

  private final Parser<? extends MessageLite> frames;
  private boolean refused;

  /**
   * @param frames reads one frame
   */
  public FrameDecoder(Parser<? extends MessageLite> frames) {
    this.frames = frames;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    if (refused) {
      in.skipBytes(in.readableBytes());
      return;
    }
    int start = in.readerIndex();
    int length = 0;
    int read = 0;
    while (true) {
      if (read == in.readableBytes()) {
        return;
      }
      byte next = in.getByte(start + read);
      length |= (next & 0x7f) << (7 * read);
      read++;
      if (next >= 0) {
        break;
      }
      if (read == MAX_LENGTH_BYTES) {
        throw refuse("frame: length prefix over 3 bytes (expected at most 65536)");
      }
    }
    if (length > SessionConfig.MAX_FRAME_BYTES) {
      throw refuse("frame: " + length + " bytes (expected at most 65536)");
    }
    if (in.readableBytes() - read < length) {
      return;
    }
    byte[] bytes = ByteBufUtil.getBytes(in, start + read, length);
    in.skipBytes(read + length);
    try {
      out.add(frames.parseFrom(bytes));
    } catch (InvalidProtocolBufferException malformed) {
      throw refuse("frame: not readable (expected a message of this protocol)");
    }
  }

  private MalformedFrameException refuse(String message) {
    refused = true;
    return new MalformedFrameException(message);
  }
}
