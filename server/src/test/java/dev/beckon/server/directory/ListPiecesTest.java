package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.peer.DirectoryPiece;
import dev.beckon.protocol.peer.PeerFrame;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lists in pieces, also from a server that lies about their length. */
final class ListPiecesTest {

  private final ListPieces pieces = new ListPieces();

  private static DirectoryPiece piece(int offset, int totalBytes, int bytes) {
    return DirectoryPiece.newBuilder()
        .setOffset(offset)
        .setTotalBytes(totalBytes)
        .setContent(ByteString.copyFrom(new byte[bytes]))
        .build();
  }

  @Test
  void putsAListTogetherAgain() {
    ByteString bytes = ByteString.copyFrom(new byte[100_000]);
    List<PeerFrame> frames = ListPieces.of(new SignedList(1, Instant.EPOCH, List.of(), bytes));

    for (PeerFrame frame : frames.subList(0, frames.size() - 1)) {
      assertThat(pieces.take(frame.getDirectoryPiece())).isNull();
    }
    assertThat(pieces.take(frames.getLast().getDirectoryPiece())).isEqualTo(bytes);
  }

  @Test
  void takesNoMoreThanTheLengthThatWasSaid() {
    assertThat(pieces.take(piece(0, 10, 9))).isNull();
    assertThat(pieces.take(piece(9, 10, 2))).as("11 bytes of 10").isNull();
    assertThat(pieces.take(piece(11, 12, 1))).as("nothing was kept of it").isNull();
    assertThat(pieces.take(piece(0, 10, 10))).as("the next list").isNotNull();
    assertThat(pieces.take(piece(0, -1, 1))).isNull();
    assertThat(pieces.take(piece(0, ListCheck.MAX_BYTES + 1, 1))).isNull();
  }
}
