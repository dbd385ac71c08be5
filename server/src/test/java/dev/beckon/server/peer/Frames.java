package dev.beckon.server.peer;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.beckon.protocol.peer.PeerFrame;

/** Frames of each kind. */
final class Frames {

  private Frames() {}

  /** An empty frame of the kind. */
  static PeerFrame ofKind(PeerFrame.KindCase kind) {
    if (kind == PeerFrame.KindCase.KIND_NOT_SET) {
      return PeerFrame.getDefaultInstance();
    }
    FieldDescriptor field = PeerFrame.getDescriptor().findFieldByNumber(kind.getNumber());
    PeerFrame.Builder builder = PeerFrame.newBuilder();
    return builder.setField(field, builder.newBuilderForField(field).build()).build();
  }
}
