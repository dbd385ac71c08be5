package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.DirectoryPart;
import dev.beckon.protocol.session.DirectoryRequest;
import dev.beckon.protocol.session.Frame;
import dev.beckon.server.directory.SignedList;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The signed list on its way to one device: part by part, the next one when the one before is
 * written. So a command never waits for more than one part. Not thread-safe.
 */
final class DirectoryTransfer {

  private final Supplier<Optional<SignedList>> held;
  private final Consumer<Effect> effects;
  private long deviceVersion;
  private @Nullable SignedList list;
  private int offset;
  private boolean writing;

  /**
   * @param held the list that this server holds at the moment
   */
  DirectoryTransfer(Supplier<Optional<SignedList>> held, Consumer<Effect> effects) {
    this.held = held;
    this.effects = effects;
  }

  /** Whether no list is on its way. */
  boolean isEmpty() {
    return list == null;
  }

  /** Of the list that this server holds; 0 if there is none. */
  long version() {
    return held.get().map(SignedList::version).orElse(0L);
  }

  /** The device said which version it holds; 0 = none. */
  void deviceHolds(int version) {
    deviceVersion = Integer.toUnsignedLong(version);
    // None counts too: it may be what became of a list that was sent. But not if there is none.
    if (deviceVersion != 0 || version() != 0) {
      effects.accept(new Effect.HoldsDirectory(deviceVersion));
    }
  }

  /** The device asks for a newer list. */
  void asked(DirectoryRequest request, Consumer<Frame> answer) {
    deviceHolds(request.getVersion());
    if (!begin()) {
      DirectoryPart nothing = DirectoryPart.newBuilder().setVersion((int) version()).build();
      answer.accept(Frame.newBuilder().setDirectoryPart(nothing).build());
    }
  }

  /**
   * Sends the list from its start, unless just that one is on its way.
   *
   * @return false if it is no newer than what the device holds
   */
  boolean begin() {
    SignedList newer = held.get().orElse(null);
    if (newer == null || newer.version() <= deviceVersion) {
      return false;
    }
    if (list == null || list.version() != newer.version()) {
      list = newer;
      offset = 0;
    }
    return true;
  }

  void clear() {
    list = null;
  }

  /** Sends the next part, if there is one and the one before is written. */
  void next() {
    SignedList from = list;
    if (from == null || writing) {
      return;
    }
    writing = true;
    ByteString bytes = from.bytes();
    int end = Math.min(offset + SessionConfig.MAX_CHUNK_BYTES, bytes.size());
    DirectoryPart part =
        DirectoryPart.newBuilder()
            .setVersion((int) from.version())
            .setTotalBytes(bytes.size())
            .setOffset(offset)
            .setContent(bytes.substring(offset, end))
            .build();
    offset = end;
    effects.accept(new Effect.SendPart(Frame.newBuilder().setDirectoryPart(part).build()));
  }

  /** A part was written. */
  void written() {
    writing = false;
    SignedList sent = list;
    if (sent != null && offset == sent.bytes().size()) {
      list = null;
      deviceVersion = sent.version();
      effects.accept(new Effect.HoldsDirectory(deviceVersion));
    }
  }
}
