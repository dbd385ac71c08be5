package dev.beckon.server.peer;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.session.FrameDecoder;
import dev.beckon.server.session.FrameEncoder;
import dev.beckon.server.session.PeerConnections;
import io.netty.channel.ChannelPipeline;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rendezvous server's side of {@code beckon-peer/1}: one connection for each enrolled server.
 * Thread-safe.
 */
public final class PeerServer implements PeerConnections, AutoCloseable {

  private final Rendezvous rendezvous;
  private final Security security;
  private final Executor background;
  private final LongSupplier nanoClock;
  private final InstantSource clock;
  private final PeerCounters counters = new PeerCounters();
  private final Map<Integer, PeerHandler> byNumber = new ConcurrentHashMap<>();
  private final Set<PeerHandler> all = ConcurrentHashMap.newKeySet();
  private volatile PeerDirectory directory = PeerDirectory.NONE;

  /**
   * @param background runs what may block
   */
  public PeerServer(
      Rendezvous rendezvous,
      Security security,
      Executor background,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.rendezvous = rendezvous;
    this.security = security;
    this.background = background;
    this.nanoClock = nanoClock;
    this.clock = clock;
  }

  /** Who exchanges the directory with other servers. */
  public void use(PeerDirectory exchange) {
    directory = exchange;
  }

  @Override
  public void connected(
      ChannelPipeline pipeline, int number, int generation, X509Certificate certificate) {
    pipeline.addLast(
        new FrameDecoder(PeerFrame.parser()),
        FrameEncoder.INSTANCE,
        new PeerHandler(this, number, generation, certificate));
  }

  Rendezvous rendezvous() {
    return rendezvous;
  }

  Security security() {
    return security;
  }

  Executor background() {
    return background;
  }

  PeerDirectory directory() {
    return directory;
  }

  long nanos() {
    return nanoClock.getAsLong();
  }

  long millis() {
    return clock.millis();
  }

  void opening(PeerHandler handler) {
    all.add(handler);
  }

  /** Makes this the server's one connection. */
  void admit(PeerHandler handler) {
    counters.countOpened();
    PeerHandler older = byNumber.put(handler.number(), handler);
    if (older != null) {
      older.close(PeerEnd.REPLACED, "a newer connection of this server");
    }
  }

  void ended(PeerHandler handler, PeerEnd end) {
    counters.count(end);
    all.remove(handler);
    if (byNumber.remove(handler.number(), handler)) {
      directory.disconnected(handler.number());
    }
  }

  /** Something became of a wake for that server; it is told if it is connected. */
  public void evidence(
      int number, DeviceId id, long wakeId, String event, Map<String, String> details) {
    PeerHandler handler = byNumber.get(number);
    if (handler != null) {
      handler.evidence(id, wakeId, clock.millis(), event, details);
    }
  }

  /** The deny-list was raised. */
  public void denied(DeviceId id, int minimumGeneration) {
    byNumber.values().forEach(handler -> handler.denied(id, minimumGeneration));
  }

  /** The fleet's CA roots changed: ends what stands on one that was dropped, tells the others. */
  public void rootsChanged() {
    all.forEach(PeerHandler::rootsChanged);
    PeerRoots now = rendezvous.rootsOfToday();
    byNumber.values().forEach(handler -> handler.roots(now));
  }

  /** Connections of this number end, but that of this generation; -1: all of them. */
  public void cut(int number, int generation) {
    for (PeerHandler handler : all) {
      if (handler.number() == number && handler.generation() != generation) {
        handler.close(PeerEnd.REMOVED, PeerLogic.removed(number + "/" + handler.generation()));
      }
    }
  }

  /** Sends a frame about the directory; false if that server is not connected. */
  public boolean send(int number, PeerFrame frame) {
    PeerHandler handler = byNumber.get(number);
    if (handler == null) {
      return false;
    }
    handler.directory(frame);
    return true;
  }

  /** Numbers of the servers that are connected now. */
  public Set<Integer> connected() {
    return Set.copyOf(byNumber.keySet());
  }

  public PeerCounters counters() {
    return counters;
  }

  @Nullable PeerHandler of(int number) {
    return byNumber.get(number);
  }

  /** Says PeerBye to all. */
  @Override
  public void close() {
    all.forEach(handler -> handler.close(PeerEnd.SHUTTING_DOWN, "the rendezvous server stops"));
  }
}
