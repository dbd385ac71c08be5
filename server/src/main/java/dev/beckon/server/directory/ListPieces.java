package dev.beckon.server.directory;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.peer.DirectoryContents;
import dev.beckon.protocol.peer.DirectoryPiece;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lists on their way between servers: cut into pieces, and put together again. Not thread-safe. */
public final class ListPieces {
  private static final int PIECE_BYTES = 32_768;

  private final ByteArrayOutputStream whole = new ByteArrayOutputStream();

  /** The frames that carry a signed list. */
  public static List<PeerFrame> of(SignedList list) {
    ByteString bytes = list.bytes();
    List<PeerFrame> frames = new ArrayList<>();
    for (int offset = 0; offset < bytes.size(); offset += PIECE_BYTES) {
      frames.add(
          PeerFrame.newBuilder()
              .setDirectoryPiece(
                  DirectoryPiece.newBuilder()
                      .setContent(piece(bytes, offset))
                      .setOffset(offset)
                      .setTotalBytes(bytes.size()))
              .build());
    }
    return frames;
  }

  /** The frames that carry what is to be signed. */
  static List<PeerFrame> of(List<DirectoryEntry> entries) {
    // An empty list has no bytes, and yet has to be said: its version, which does not count, is 1.
    ByteString bytes =
        DirectoryList.newBuilder().setVersion(1).addAllEntries(entries).build().toByteString();
    List<PeerFrame> frames = new ArrayList<>();
    for (int offset = 0; offset < bytes.size(); offset += PIECE_BYTES) {
      frames.add(
          PeerFrame.newBuilder()
              .setDirectoryContents(
                  DirectoryContents.newBuilder()
                      .setList(piece(bytes, offset))
                      .setOffset(offset)
                      .setTotalBytes(bytes.size()))
              .build());
    }
    return frames;
  }

  private static ByteString piece(ByteString bytes, int offset) {
    return bytes.substring(offset, Math.min(offset + PIECE_BYTES, bytes.size()));
  }

  /** Takes a piece of a signed list; the whole behind its last one, null before. */
  public @Nullable ByteString take(DirectoryPiece piece) {
    return take(piece.getOffset(), piece.getTotalBytes(), piece.getContent());
  }

  /** Takes a piece of contents; the whole behind its last one, null before. */
  public @Nullable ByteString take(DirectoryContents contents) {
    return take(contents.getOffset(), contents.getTotalBytes(), contents.getList());
  }

  private @Nullable ByteString take(int offset, int totalBytes, ByteString content) {
    if (offset == 0) {
      whole.reset();
    }
    if (offset != whole.size()
        || totalBytes > ListCheck.MAX_BYTES
        || (long) offset + content.size() > totalBytes) {
      whole.reset(); // out of place: the next list begins at 0
      return null;
    }
    whole.writeBytes(content.toByteArray());
    if (whole.size() < totalBytes) {
      return null;
    }
    ByteString taken = ByteString.copyFrom(whole.toByteArray());
    whole.reset();
    return taken;
  }
}
