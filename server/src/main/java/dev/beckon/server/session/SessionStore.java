package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.server.directory.SignedList;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What sessions need of commands and identity. Methods that return a plain value may block and are
 * called on reader threads; the others return at once.
 */
interface SessionStore {

  /** What became of an update: whether the command has ended in the store. */
  record Stored(boolean ended) {}

  /** What the device shall have now, in order of acceptance, and what it shall not start. */
  record Portion(List<Command> commands, List<String> cancellations) {}

  /**
   * The generation of the ID that enrolled last; empty if no such device has ever enrolled; 0 if
   * that is not known here, so that any entry of the deny-list shuts it out.
   */
  OptionalInt enrolledGeneration(DeviceId id);

  /** Whether the device's actions are known and have this hash. */
  boolean knowsActions(DeviceId id, ByteString hash);

  /**
   * Notes which of the fleet's keys the device holds, and tells whether it shall renew.
   *
   * @param certificate the one that it showed
   */
  boolean wantsRenewal(DeviceId id, Effect.Holding holding, X509Certificate certificate);

  /**
   * The frame's content that answers a request for renewal: a new identity or a refusal.
   *
   * @param certificate the one that the device showed, of this generation
   */
  CompletableFuture<Renewal> renew(
      DeviceId id, int generation, X509Certificate certificate, ByteString certificateRequest);

  /** The signed list that this server holds; from memory, at once. */
  Optional<SignedList> directory();

  /** Other servers that want the device to dial them; from memory, at once. */
  List<WaitingServer> waitingServers(DeviceId id);

  /** The device holds this version of the directory; 0 = none. */
  void holdsDirectory(DeviceId id, long version);

  /** Commands for the device; completes when it is durable that they were handed over. */
  CompletableFuture<Portion> handOver(DeviceId id, Set<String> inFlight, int limit);

  /** A command's body from its start. */
  InputStream body(String commandId) throws IOException;

  /** Completes when the update is durable, or at once if the command is not this device's. */
  CompletableFuture<Stored> update(DeviceId id, Update update, byte @Nullable [] resultBody);

  CompletableFuture<?> keepActions(DeviceId id, Actions actions, ByteString hash);

  /**
   * Followed by exactly one {@link #sessionClosed}. Completes when it is settled what the device's
   * generation means for its commands; none is handed over before.
   */
  CompletableFuture<?> sessionOpened(
      DeviceId id, int generation, long wakeId, InetSocketAddress from);

  void sessionClosed(DeviceId id);

  /** The frame that answers an enrollment request: answer or refusal. */
  CompletableFuture<Frame> enroll(byte[] secret, byte[] request);
}
