package dev.beckon.agent.action;

import dev.beckon.agent.action.RelayConfig.Target;
import dev.beckon.device.Result;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.Arrays;

/** Sends a body as one datagram and, if one is expected, waits for one in answer. */
final class UdpRelay {
  private final Target target;

  UdpRelay(Target target) {
    this.target = target;
  }

  /**
   * Once.
   *
   * @throws FailedException if it could not be sent, or no answer came
   */
  Result send(byte[] body) throws FailedException {
    TimeLimit limit = TimeLimit.start(target.timeLimit());
    Result sent = Result.of("sent-bytes", body.length);
    try (DatagramSocket socket = new DatagramSocket()) {
      // Connected: only that device can answer, and its router can say that nobody listens.
      socket.connect(new InetSocketAddress(target.to().getHost(), target.to().getPort()));
      socket.send(new DatagramPacket(body, body.length));
      if (!target.answer()) {
        return sent;
      }
      socket.setSoTimeout(limit.leftMillis());
      byte[] buffer = new byte[(int) RelayConfig.MAX_DATAGRAM_BYTES];
      DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
      socket.receive(packet);
      boolean fits = packet.getLength() <= target.maxAnswerBytes();
      int kept = (int) Math.min(packet.getLength(), target.maxAnswerBytes());
      Answer answer = new Answer(Arrays.copyOf(buffer, kept), !fits);
      return answer.addTo(
          fits ? sent : Answer.tooLarge(target.maxAnswerBytes()).with("sent-bytes", body.length));
    } catch (SocketTimeoutException e) {
      throw new FailedException(
          Failure.TIMED_OUT
              .because(limit.reason("a datagram in answer; see answer in agent.yaml"))
              .with("sent-bytes", body.length));
    } catch (IOException e) {
      throw new FailedException(
          Failure.UNREACHABLE, Unreachable.reason(target.to().getAuthority(), e));
    }
  }
}
