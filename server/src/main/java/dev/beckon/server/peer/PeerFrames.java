package dev.beckon.server.peer;

import dev.beckon.protocol.peer.DenyListPart;
import dev.beckon.protocol.peer.DeviceAnswer;
import dev.beckon.protocol.peer.DeviceQuery;
import dev.beckon.protocol.peer.PeerBye;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerHello;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.protocol.peer.PeerWelcome;
import dev.beckon.protocol.peer.Ping;
import dev.beckon.protocol.peer.Pong;
import dev.beckon.protocol.peer.WakeAnswer;
import dev.beckon.protocol.peer.WakeEvidence;
import dev.beckon.protocol.peer.WakeRequest;
import dev.beckon.protocol.peer.WakeServed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The frames of beckon-peer/1, made. */
final class PeerFrames {

  /** Entries of the deny-list in one frame: device IDs have 64 bytes at most. */
  static final int MAX_DENIED = 500;

  static final PeerFrame PING = PeerFrame.newBuilder().setPing(Ping.getDefaultInstance()).build();
  static final PeerFrame PONG = PeerFrame.newBuilder().setPong(Pong.getDefaultInstance()).build();

  private PeerFrames() {}

  static PeerFrame hello(int number, int generation, int directoryVersion) {
    return PeerFrame.newBuilder()
        .setHello(
            PeerHello.newBuilder()
                .setNumber(number)
                .setGeneration(generation)
                .setDirectoryVersion(directoryVersion))
        .build();
  }

  static PeerFrame welcome(long serverTimeMillis, String name, String security) {
    return PeerFrame.newBuilder()
        .setWelcome(
            PeerWelcome.newBuilder()
                .setServerTimeMillis(serverTimeMillis)
                .setName(name)
                .setSecurity(security))
        .build();
  }

  static PeerFrame wakeRequest(long requestId, String deviceId, long deadlineMillis) {
    return PeerFrame.newBuilder()
        .setWakeRequest(
            WakeRequest.newBuilder()
                .setRequestId(requestId)
                .setDeviceId(deviceId)
                .setDeadlineMillis(deadlineMillis))
        .build();
  }

  static PeerFrame wakeAnswer(long requestId, long wakeId, String refusal) {
    return PeerFrame.newBuilder()
        .setWakeAnswer(
            WakeAnswer.newBuilder().setRequestId(requestId).setWakeId(wakeId).setRefusal(refusal))
        .build();
  }

  static PeerFrame evidence(
      String deviceId, long wakeId, long atMillis, String event, Map<String, String> details) {
    return PeerFrame.newBuilder()
        .setWakeEvidence(
            WakeEvidence.newBuilder()
                .setDeviceId(deviceId)
                .setWakeId(wakeId)
                .setAtMillis(atMillis)
                .setEvent(event)
                .putAllDetails(details))
        .build();
  }

  static PeerFrame wakeServed(String deviceId) {
    return PeerFrame.newBuilder()
        .setWakeServed(WakeServed.newBuilder().setDeviceId(deviceId))
        .build();
  }

  static PeerFrame deviceQuery(long requestId, String deviceId) {
    return PeerFrame.newBuilder()
        .setDeviceQuery(DeviceQuery.newBuilder().setRequestId(requestId).setDeviceId(deviceId))
        .build();
  }

  static PeerFrame deviceAnswer(long requestId, boolean known, int generation, boolean revoked) {
    return PeerFrame.newBuilder()
        .setDeviceAnswer(
            DeviceAnswer.newBuilder()
                .setRequestId(requestId)
                .setKnown(known)
                .setGeneration(generation)
                .setRevoked(revoked))
        .build();
  }

  /** The whole list: at least one part, the last one marked. */
  static List<PeerFrame> denyList(Map<String, Integer> minimumGenerations) {
    List<PeerFrame> frames = new ArrayList<>();
    DenyListPart.Builder part = DenyListPart.newBuilder().setWhole(true);
    for (Map.Entry<String, Integer> entry : minimumGenerations.entrySet()) {
      part.putMinimumGenerations(entry.getKey(), entry.getValue());
      if (part.getMinimumGenerationsCount() == MAX_DENIED) {
        frames.add(PeerFrame.newBuilder().setDenyListPart(part).build());
        part = DenyListPart.newBuilder().setWhole(true);
      }
    }
    frames.add(PeerFrame.newBuilder().setDenyListPart(part.setLast(true)).build());
    return frames;
  }

  static PeerFrame denied(String deviceId, int minimumGeneration) {
    return PeerFrame.newBuilder()
        .setDenyListPart(
            DenyListPart.newBuilder().putMinimumGenerations(deviceId, minimumGeneration))
        .build();
  }

  static PeerFrame roots(PeerRoots roots) {
    return PeerFrame.newBuilder().setRoots(roots).build();
  }

  static PeerFrame bye(PeerEnd end, String text) {
    return PeerFrame.newBuilder()
        .setBye(PeerBye.newBuilder().setCode(end.code()).setText(text))
        .build();
  }
}
