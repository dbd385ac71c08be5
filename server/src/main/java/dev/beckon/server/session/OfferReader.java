package dev.beckon.server.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslClientHelloHandler;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads which protocols (ALPN) a TLS client offers, and passes its ClientHello on. */
final class OfferReader extends SslClientHelloHandler<Set<String>> {
  private static final int ALPN = 16;

  private final Entrance entrance;
  private final long deadlineNanos;
  private boolean told;

  OfferReader(Entrance entrance, long deadlineNanos) {
    this.entrance = entrance;
    this.deadlineNanos = deadlineNanos;
  }

  @Override
  protected Future<Set<String>> lookup(ChannelHandlerContext ctx, @Nullable ByteBuf clientHello) {
    return ctx.executor().newSucceededFuture(clientHello == null ? Set.of() : offered(clientHello));
  }

  @Override
  protected void onLookupComplete(ChannelHandlerContext ctx, Future<Set<String>> offered) {
    if (!told) { // asked again with each read while a refused connection closes
      told = true;
      entrance.offered(ctx, offered.getNow(), deadlineNanos);
    }
  }

  /**
   * RFC 8446, section 4.1.2, and RFC 7301, section 3.1. Empty if it is not well-formed: TLS itself
   * will say what is wrong.
   */
  static Set<String> offered(ByteBuf clientHello) {
    ByteBuf in = clientHello.slice();
    try {
      in.skipBytes(2 + 32); // version, random
      in.skipBytes(in.readUnsignedByte()); // session ID
      in.skipBytes(in.readUnsignedShort()); // cipher suites
      in.skipBytes(in.readUnsignedByte()); // compression methods
      ByteBuf extensions = in.readSlice(in.readUnsignedShort());
      while (extensions.isReadable()) {
        int type = extensions.readUnsignedShort();
        ByteBuf content = extensions.readSlice(extensions.readUnsignedShort());
        if (type == ALPN) {
          return names(content.readSlice(content.readUnsignedShort()));
        }
      }
    } catch (IndexOutOfBoundsException malformed) {
      // As if it offered nothing.
    }
    return Set.of();
  }

  private static Set<String> names(ByteBuf list) {
    Set<String> names = new HashSet<>();
    while (list.isReadable()) {
      names.add(
          list.readCharSequence(list.readUnsignedByte(), StandardCharsets.US_ASCII).toString());
    }
    return names;
  }
}
