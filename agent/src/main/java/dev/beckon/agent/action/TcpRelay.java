package dev.beckon.agent.action;

import dev.beckon.agent.action.RelayConfig.Target;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Writes a body to a TCP connection and reads the answer, until the other end closes or is quiet.
 */
final class TcpRelay {
  private static final int PART_BYTES = 32 * 1024;
  private static final int PROGRESS_BYTES = 8 * PART_BYTES;
  private static final String SENT = "sent-bytes";

  private final Target target;
  private final Command command;
  private final TimeLimit limit;
  private final ByteArrayOutputStream answer = new ByteArrayOutputStream();
  private final AtomicBoolean givenUp = new AtomicBoolean();
  private int sentBytes;

  TcpRelay(Target target, Command command) {
    this.target = target;
    this.command = command;
    this.limit = TimeLimit.start(target.timeLimit());
  }

  /**
   * Once.
   *
   * @throws FailedException if not all of it went well; its result tells how much was sent and what
   *     was answered until then
   */
  Result send(byte[] body) throws FailedException {
    Timer guard = new Timer("beckon-relay", true);
    try (Socket socket = new Socket()) {
      // Writing to an end that takes nothing would block for ever.
      guard.schedule(closing(socket), limit.leftMillis());
      socket.connect(address(), limit.leftMillis());
      write(socket.getOutputStream(), body);
      if (target.answer()) {
        if (target.quiet() == null) {
          socket.shutdownOutput();
        }
        read(socket);
      }
      return told(Result.ok());
    } catch (IOException e) {
      throw new FailedException(
          told(
              givenUp.get() || e instanceof SocketTimeoutException
                  ? Failure.TIMED_OUT.because(limit.reason("the other end to be done"))
                  : Failure.UNREACHABLE.because(
                      Unreachable.reason(target.to().getAuthority(), e))));
    } finally {
      guard.cancel();
    }
  }

  private InetSocketAddress address() throws UnknownHostException {
    InetSocketAddress address = new InetSocketAddress(target.to().getHost(), target.to().getPort());
    if (address.isUnresolved()) {
      throw new UnknownHostException(target.to().getHost());
    }
    return address;
  }

  private Result told(Result result) {
    return new Answer(answer.toByteArray(), false).addTo(result.with(SENT, sentBytes));
  }

  private TimerTask closing(Socket socket) {
    return new TimerTask() {
      @Override
      public void run() {
        givenUp.set(true);
        try {
          socket.close();
        } catch (IOException e) {
          // It is of no more use either way.
        }
      }
    };
  }

  private void write(OutputStream out, byte[] body) throws IOException {
    while (sentBytes < body.length) {
      int part = Math.min(PART_BYTES, body.length - sentBytes);
      out.write(body, sentBytes, part);
      sentBytes += part;
      if (sentBytes < body.length && sentBytes % PROGRESS_BYTES == 0) {
        command.progress((int) (100L * sentBytes / body.length), "sent " + sentBytes + " bytes");
      }
    }
    out.flush();
  }

  private void read(Socket socket) throws IOException, FailedException {
    InputStream in = socket.getInputStream();
    byte[] buffer = new byte[8192];
    long quietMillis = target.quiet() == null ? 0 : target.quiet().toMillis();
    while (true) {
      // Silence ends an answer only after it has begun.
      boolean mayEnd = quietMillis > 0 && answer.size() > 0;
      int patience = limit.leftMillis();
      socket.setSoTimeout(mayEnd ? (int) Math.min(patience, quietMillis) : patience);
      int n;
      try {
        n = in.read(buffer);
      } catch (SocketTimeoutException e) {
        if (mayEnd && !limit.isOver()) {
          return;
        }
        throw e;
      }
      if (n < 0) {
        return;
      }
      int room = (int) target.maxAnswerBytes() - answer.size();
      answer.write(buffer, 0, Math.min(n, room));
      if (n > room) {
        throw new FailedException(told(Answer.tooLarge(target.maxAnswerBytes())));
      }
    }
  }
}
