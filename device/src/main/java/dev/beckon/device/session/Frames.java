package dev.beckon.device.session;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.session.Frame;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** Frames on a stream: each behind its length as a varint. */
public final class Frames {
  /** The longest frame; its length is checked before anything of it is read. */
  public static final int MAX_BYTES = 65_536;

  private static final int MAX_LENGTH_BYTES = 3; // 65,536 takes three bytes as a varint

  private Frames() {}

  /**
   * Reads one frame, blocking.
   *
   * @return null at the end of the stream
   * @throws IOException if the stream ends within a frame, or the frame is too long or malformed
   */
  public static @Nullable Frame read(InputStream in) throws IOException {
    int length = 0;
    for (int i = 0; ; i++) {
      int b = in.read();
      if (b < 0) {
        if (i == 0) {
          return null;
        }
        throw new EOFException("the stream ended within a frame's length");
      }
      length |= (b & 0x7F) << (7 * i);
      if (b < 0x80) {
        break;
      }
      if (i == MAX_LENGTH_BYTES - 1) {
        throw new IOException("frame length: over 3 bytes long (expected at most 65536)");
      }
    }
    if (length > MAX_BYTES) {
      throw new IOException("frame length: " + length + " (expected at most 65536)");
    }
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException("the stream ended within a frame");
    }
    try {
      return Frame.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IOException("frame: malformed (" + e.getMessage() + ")", e);
    }
  }

  /**
   * Writes one frame in one call to {@code out}, so that it travels in one TLS record.
   *
   * @throws IllegalArgumentException if it is too long
   */
  public static void write(OutputStream out, Frame frame) throws IOException {
    int length = frame.getSerializedSize();
    if (length > MAX_BYTES) {
      throw new IllegalArgumentException("frame: " + length + " bytes (expected at most 65536)");
    }
    byte[] bytes = new byte[CodedOutputStream.computeUInt32SizeNoTag(length) + length];
    CodedOutputStream coded = CodedOutputStream.newInstance(bytes);
    coded.writeUInt32NoTag(length);
    frame.writeTo(coded);
    coded.flush();
    out.write(bytes);
    out.flush();
  }
}
