package dev.beckon.device.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Frame;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FramesTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 127, 128, 16_384, 65_000})
  void readsWhatItWrote(int size) throws IOException {
    Frame frame = chunk(size);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Frames.write(out, frame);
    Frames.write(out, frame);
    ByteArrayInputStream in = new ByteArrayInputStream(out.toByteArray());

    assertThat(Frames.read(in)).isEqualTo(frame);
    assertThat(Frames.read(in)).isEqualTo(frame);
    assertThat(Frames.read(in)).isNull();
  }

  @Test
  void isWhatProtobufCallsDelimited() throws IOException {
    ByteArrayOutputStream ours = new ByteArrayOutputStream();
    ByteArrayOutputStream theirs = new ByteArrayOutputStream();
    Frames.write(ours, chunk(300));
    chunk(300).writeDelimitedTo(theirs);

    assertThat(ours.toByteArray()).isEqualTo(theirs.toByteArray());
  }

  @Test
  void refusesALongFrameBeforeReadingIt() {
    // 65,537 as a varint, and nothing behind it: reading on would be an end of stream instead.
    ByteArrayInputStream in = new ByteArrayInputStream(new byte[] {(byte) 0x81, (byte) 0x80, 4});

    assertThatThrownBy(() -> Frames.read(in)).hasMessageContaining("65537");
  }

  @Test
  void refusesALengthThatDoesNotEnd() {
    byte[] bytes = new byte[100];
    Arrays.fill(bytes, (byte) 0xFF);

    assertThatThrownBy(() -> Frames.read(new ByteArrayInputStream(bytes)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("frame length");
  }

  @Test
  void tellsAnEndWithinAFrameFromOneBehindIt() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Frames.write(out, chunk(300));
    byte[] whole = out.toByteArray();
    for (int length = 1; length < whole.length; length++) {
      ByteArrayInputStream in = new ByteArrayInputStream(whole, 0, length);
      assertThatThrownBy(() -> Frames.read(in)).isInstanceOf(EOFException.class);
    }
  }

  @Test
  void refusesToWriteALongFrame() {
    assertThatThrownBy(() -> Frames.write(new ByteArrayOutputStream(), chunk(70_000)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void ignoresNothingMalformed() {
    assertThatThrownBy(
            () -> Frames.read(new ByteArrayInputStream(new byte[] {2, (byte) 0xFF, (byte) 0xFF})))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("malformed");
  }

  private static Frame chunk(int size) {
    return Frame.newBuilder()
        .setBodyChunk(BodyChunk.newBuilder().setContent(ByteString.copyFrom(new byte[size])))
        .build();
  }
}
