package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.server.directory.SignedList;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A store that keeps nothing longer than its test. */
final class MemoryStore implements SessionStore {

  /** An update as it was to be stored. */
  record Stored(DeviceId from, Update update, byte @Nullable [] body) {}

  final List<Command> commands = new CopyOnWriteArrayList<>();
  final Map<String, byte[]> bodies = new ConcurrentHashMap<>();
  final LinkedBlockingQueue<Stored> stored = new LinkedBlockingQueue<>();
  final LinkedBlockingQueue<Actions> actions = new LinkedBlockingQueue<>();
  final AtomicInteger open = new AtomicInteger();
  final LinkedBlockingQueue<Long> directoryVersions = new LinkedBlockingQueue<>();
  volatile Optional<SignedList> directory = Optional.empty();
  volatile List<WaitingServer> waiting = List.of();
  volatile boolean failing;

  /** Updates with a body are never done. */
  volatile boolean slow;

  Stored nextStored() throws InterruptedException {
    Stored next = stored.poll(10, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("no update came to the store");
    }
    return next;
  }

  @Override
  public OptionalInt enrolledGeneration(DeviceId id) {
    return id.value().equals("kitchen") ? OptionalInt.of(2) : OptionalInt.empty();
  }

  @Override
  public boolean knowsActions(DeviceId id, ByteString hash) {
    return !hash.isEmpty();
  }

  @Override
  public Optional<SignedList> directory() {
    return directory;
  }

  @Override
  public List<WaitingServer> waitingServers(DeviceId id) {
    return waiting;
  }

  @Override
  public void holdsDirectory(DeviceId id, long version) {
    directoryVersions.add(version);
  }

  @Override
  public boolean wantsRenewal(DeviceId id, Effect.Holding holding, X509Certificate certificate) {
    return holding.keyId() == 1;
  }

  @Override
  public CompletableFuture<Renewal> renew(
      DeviceId id, int generation, X509Certificate certificate, ByteString certificateRequest) {
    return CompletableFuture.completedFuture(
        Renewal.newBuilder().setGeneration(generation).setKeyId(2).build());
  }

  @Override
  public CompletableFuture<Portion> handOver(DeviceId id, Set<String> inFlight, int limit) {
    if (failing) {
      return CompletableFuture.failedFuture(new IllegalStateException("disk full"));
    }
    List<Command> portion = new ArrayList<>();
    for (Command command : commands) {
      if (command.getDeviceId().equals(id.value())
          && !inFlight.contains(command.getCommandId())
          && portion.size() < limit) {
        portion.add(command);
      }
    }
    return CompletableFuture.completedFuture(new Portion(portion, List.of()));
  }

  @Override
  public InputStream body(String commandId) {
    return new ByteArrayInputStream(bodies.getOrDefault(commandId, new byte[0]));
  }

  @Override
  public CompletableFuture<SessionStore.Stored> update(
      DeviceId id, Update update, byte @Nullable [] resultBody) {
    boolean ended = update.getState().compareTo(State.RUNNING) > 0;
    if (ended) {
      commands.removeIf(command -> command.getCommandId().equals(update.getCommandId()));
    }
    if (slow && resultBody != null) {
      return new CompletableFuture<>();
    }
    stored.add(new Stored(id, update, resultBody));
    return CompletableFuture.completedFuture(new SessionStore.Stored(ended));
  }

  @Override
  public CompletableFuture<?> keepActions(DeviceId id, Actions declared, ByteString hash) {
    actions.add(declared);
    return CompletableFuture.completedFuture(true);
  }

  @Override
  public CompletableFuture<?> sessionOpened(
      DeviceId id, int generation, long wakeId, InetSocketAddress from) {
    open.incrementAndGet();
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void sessionClosed(DeviceId id) {
    open.decrementAndGet();
  }

  @Override
  public CompletableFuture<Frame> enroll(byte[] secret, byte[] request) {
    Frame.Builder frame = Frame.newBuilder();
    if (secret.length == 16) {
      frame.setEnrollmentAnswer(EnrollmentAnswer.newBuilder().setDeviceId("kitchen"));
    } else {
      frame.setEnrollmentRefusal(EnrollmentRefusal.newBuilder().setCode("enrollment-code-unknown"));
    }
    return CompletableFuture.completedFuture(frame.build());
  }
}
