package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Bye;
import dev.beckon.protocol.session.Cancellation;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.InquiryAnswer;
import dev.beckon.protocol.session.Receipt;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.Welcome;

/** The frames that a server sends in a session. */
final class Frames {

  private Frames() {}

  static Frame welcome(
      Greeting greeting, int lingerMillis, boolean actionsWanted, long directoryVersion) {
    return Frame.newBuilder()
        .setWelcome(
            Welcome.newBuilder()
                .setServerTimeMillis(greeting.serverTimeMillis())
                .setLingerMillis(lingerMillis)
                .setActionsWanted(actionsWanted)
                .setDirectoryVersion((int) directoryVersion)
                .addAllWaitingServers(greeting.waiting())
                .setRenewalWanted(greeting.renewalWanted()))
        .build();
  }

  static Frame renewal(Renewal renewal) {
    return Frame.newBuilder().setRenewal(renewal).build();
  }

  static Frame inquiryAnswer(int commands) {
    return Frame.newBuilder()
        .setInquiryAnswer(InquiryAnswer.newBuilder().setCommands(commands))
        .build();
  }

  static Frame command(Command command) {
    return Frame.newBuilder().setCommand(command).build();
  }

  static Frame bodyChunk(String commandId, long offset, ByteString content, boolean last) {
    return Frame.newBuilder()
        .setBodyChunk(
            BodyChunk.newBuilder()
                .setCommandId(commandId)
                .setOffset(offset)
                .setContent(content)
                .setLast(last))
        .build();
  }

  static Frame receipt(String commandId) {
    return Frame.newBuilder().setReceipt(Receipt.newBuilder().setCommandId(commandId)).build();
  }

  static Frame cancellation(String commandId) {
    return Frame.newBuilder()
        .setCancellation(Cancellation.newBuilder().setCommandId(commandId))
        .build();
  }

  static Frame bye(CloseReason reason, String text) {
    return Frame.newBuilder()
        .setBye(Bye.newBuilder().setReason(reason.bye()).setText(text))
        .build();
  }
}
