package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.Inquiry;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;

/** Frames as devices and servers send them. */
public final class SessionFrames {

  static final String ID_A = id(1_000);
  static final String ID_B = id(1_001);

  private SessionFrames() {}

  public static String id(int number) {
    return String.format("01JZ0000000000000000%06d", number);
  }

  public static Frame hello(String deviceId, Delivery delivery, long wakeId) {
    return Frame.newBuilder()
        .setHello(Hello.newBuilder().setDeviceId(deviceId).setDelivery(delivery).setWakeId(wakeId))
        .build();
  }

  public static Frame inquiry(long wakeId) {
    return Frame.newBuilder().setInquiry(Inquiry.newBuilder().setWakeId(wakeId)).build();
  }

  public static Command command(String id) {
    return Command.newBuilder()
        .setDeviceId("kitchen")
        .setCommandId(id)
        .setAction("echo")
        .putArgs("text", "hello")
        .build();
  }

  public static Command commandWithBody(String id, long bytes) {
    return command(id).toBuilder().setHasBody(true).setBodyBytes(bytes).build();
  }

  public static Frame update(String id, State state) {
    return Frame.newBuilder()
        .setUpdate(Update.newBuilder().setCommandId(id).setState(state))
        .build();
  }

  public static Frame updateWithBody(String id, State state, long bytes) {
    return Frame.newBuilder()
        .setUpdate(
            Update.newBuilder()
                .setCommandId(id)
                .setState(state)
                .setHasBody(true)
                .setBodyBytes(bytes))
        .build();
  }

  public static Frame chunk(String id, long offset, String content, boolean last) {
    return Frame.newBuilder()
        .setBodyChunk(
            BodyChunk.newBuilder()
                .setCommandId(id)
                .setOffset(offset)
                .setContent(ByteString.copyFromUtf8(content))
                .setLast(last))
        .build();
  }

  /** A frame of the kind that is as right as its kind allows. */
  public static Frame ofKind(Frame.KindCase kind) {
    return switch (kind) {
      case HELLO -> hello("kitchen", Delivery.DELIVERY_PUSH, 0);
      case UPDATE -> update(ID_A, State.RUNNING);
      case KIND_NOT_SET -> Frame.getDefaultInstance();
      default -> {
        FieldDescriptor field = Frame.getDescriptor().findFieldByNumber(kind.getNumber());
        Frame.Builder builder = Frame.newBuilder();
        yield builder.setField(field, builder.newBuilderForField(field).build()).build();
      }
    };
  }
}
