package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.session.Frames;
import dev.beckon.device.tls.Dialler;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.Frame;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The connection under one session: a thread that dials and reads, and one that writes.
 *
 * <p>What is read goes to the {@link Receiver}, frame by frame; what is to be written is queued, so
 * that nobody but the writer waits for a slow server.
 */
final class Connection {
  /** Gets what happens, on the reader's thread. */
  interface Receiver {
    /**
     * @param note what an operator should know about how the server was found; empty if nothing
     */
    void onConnected(String note);

    /** Must call {@link #release} once the frame is handled. */
    void onFrame(Frame frame);

    /**
     * The last call.
     *
     * @param reason for people
     */
    void onEnd(String reason);
  }

  private static final int MAX_CHUNK_BYTES = 32_768;

  /** Frames read and not yet handled; more are left in the socket, which slows the server down. */
  private static final int MAX_UNHANDLED = 16;

  /** Progress reports are dropped when so much is waiting to be written. */
  private static final int MAX_PROGRESS_WAITING = 64;

  /** A server that leaves more than this unread is given up; what it is owed is told again. */
  private static final int MAX_WAITING = 1_024;

  private interface Outgoing {
    void writeTo(OutputStream out) throws IOException;
  }

  private static final Outgoing END = out -> {};

  private final BlockingQueue<Outgoing> outgoing = new LinkedBlockingQueue<>();
  private final Semaphore unhandled = new Semaphore(MAX_UNHANDLED);
  private final CountDownLatch written = new CountDownLatch(1);
  private final Dialler dialler;
  private final HostAddresses hosts;
  private final InetSocketAddress address;
  private final Receiver receiver;
  private volatile boolean closed;
  private volatile boolean stuck; // the server does not read
  private volatile @Nullable Socket plain;

  /**
   * @param address not resolved; it is when the connection is dialled
   */
  Connection(Dialler dialler, HostAddresses hosts, InetSocketAddress address, Receiver receiver) {
    this.dialler = dialler;
    this.hosts = hosts;
    this.address = address;
    this.receiver = receiver;
  }

  void start() {
    Thread reader = new Thread(this::readAll, "beckon-session");
    reader.setDaemon(true);
    reader.start();
  }

  void send(Frame frame) {
    boolean progress =
        frame.hasUpdate()
            && (frame.getUpdate().getProgressPercent() != 0
                || !frame.getUpdate().getProgressText().isEmpty());
    if (!progress || outgoing.size() < MAX_PROGRESS_WAITING) {
      queue(out -> Frames.write(out, frame));
    }
  }

  void sendBody(String commandId, Path file) {
    queue(out -> writeBody(out, commandId, file));
  }

  private void queue(Outgoing next) {
    if (!stuck) {
      outgoing.add(next);
      if (outgoing.size() > MAX_WAITING) {
        stuck = true;
        outgoing.clear();
        cut();
      }
    }
  }

  /** Closes once everything that waits is written. */
  void finish() {
    outgoing.add(END);
  }

  /** Closes at once, whatever waits. */
  void cut() {
    closed = true;
    close(plain);
  }

  /** Waits until all that was to be written before {@link #finish} is. */
  void awaitWritten(long millis) {
    try {
      if (!written.await(millis, TimeUnit.MILLISECONDS)) {
        cut();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A frame is handled: one more may be read. */
  void release() {
    unhandled.release();
  }

  private void readAll() {
    String reason = "server closed the connection";
    String hint = ""; // until the server has said something
    String host = address.getHostString();
    try {
      HostAddresses.Found found = hosts.find(host);
      try (Socket socket =
          dialler.dial(host, found.addresses(), address.getPort(), this::opening)) {
        hint = dialler.hint();
        Thread writer = new Thread(() -> writeAll(socket), "beckon-session-writer");
        writer.setDaemon(true);
        writer.start();
        receiver.onConnected(found.note(socket.getInetAddress()));
        hosts.good(found, socket.getInetAddress()); // waits for the disk, and Hello does not
        InputStream in = socket.getInputStream();
        while (true) {
          Frame frame = Frames.read(in);
          if (frame == null) {
            break;
          }
          hint = "";
          unhandled.acquire();
          receiver.onFrame(frame);
        }
      }
    } catch (IOException e) {
      reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      reason = stuck ? "the server does not read what it is told" : reason;
    } catch (InterruptedException e) {
      reason = "interrupted";
    } finally {
      closed = true;
      outgoing.add(END);
      receiver.onEnd(reason + hint);
    }
  }

  private void opening(Socket socket) throws IOException {
    plain = socket;
    if (closed) {
      throw new IOException("closed while dialling");
    }
  }

  private void writeAll(Socket socket) {
    try {
      OutputStream out = socket.getOutputStream();
      while (true) {
        Outgoing next = outgoing.take();
        if (next == END) {
          break;
        }
        next.writeTo(out);
      }
      socket.close();
    } catch (IOException | RuntimeException e) {
      cut(); // the reader tells
    } catch (InterruptedException e) {
      cut();
    } finally {
      written.countDown();
    }
  }

  private static void writeBody(OutputStream out, String commandId, Path file) throws IOException {
    long size = Files.size(file);
    long offset = 0;
    try (InputStream in = Files.newInputStream(file)) {
      do {
        byte[] content = in.readNBytes(MAX_CHUNK_BYTES);
        BodyChunk.Builder chunk =
            BodyChunk.newBuilder()
                .setCommandId(commandId)
                .setOffset(offset)
                .setContent(ByteString.copyFrom(content));
        offset += content.length;
        chunk.setLast(offset >= size || content.length == 0);
        Frames.write(out, Frame.newBuilder().setBodyChunk(chunk).build());
        if (content.length == 0) {
          return;
        }
      } while (offset < size);
    }
  }

  private static void close(@Nullable Socket socket) {
    if (socket != null) {
      try {
        socket.close();
      } catch (IOException e) {
        // It is gone either way.
      }
    }
  }
}
